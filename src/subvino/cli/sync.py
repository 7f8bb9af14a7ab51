"""`subvino sync`: subtitles brought into step with the speech, and text brought to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subvino.cli.fix import Place, choose_place
from subvino.cli.options import given, split_list
from subvino.cli.screen import Screen
from subvino.cli.subtitle_input import (
    AudioTrack,
    ChainGap,
    FrameRate,
    InPlace,
    MaxChars,
    MaxCps,
    MaxDuration,
    MaxLines,
    MaxLinger,
    MaxWpm,
    MinDuration,
    MinGap,
    NarrowWidth,
    Overwrite,
    Profile,
    RuleOptions,
    hear_video,
    read_subtitles,
)
from subvino.errors import OptionError, UnsureError

if TYPE_CHECKING:
    from subvino.formats import SubtitleFile
    from subvino.sync import Retiming, SyncOptions

_FILES, _SEARCH, _ALIGN = "Files written", "Search", "Text to align"


def sync(  # as long as there are options: Typer reads them off the parameters
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Subtitles that are out of step: SRT, WebVTT, ASS or TTML.",
            show_default=False,
        ),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            "--video",
            metavar="MEDIA",
            help="The video or audio file that they belong to.",
            show_default=False,
        ),
    ] = None,
    audio_track: AudioTrack = None,
    align: Annotated[
        str | None,
        typer.Option(
            "--align",
            metavar="TEXT|FILE",
            help="In place of FILE: what is said, as text, in a text file or in subtitles whose "
            "times don't count. Its words get their times from the sound, and are cut into cues.",
            rich_help_panel=_ALIGN,
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            "-l",
            metavar="LANG",
            help="Of the text to align; auto finds out (default: as its name tells, or auto).",
            rich_help_panel=_ALIGN,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="That aligns the text: see `subvino models list` (default: base).",
            rich_help_panel=_ALIGN,
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT,...",
            help="Files made of the aligned text (default: srt).",
            rich_help_panel=_ALIGN,
        ),
    ] = None,
    profile: Profile = None,
    max_chars: MaxChars = None,
    max_lines: MaxLines = None,
    max_cps: MaxCps = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    max_wpm: MaxWpm = None,
    min_gap: MinGap = None,
    frame_rate: FrameRate = None,
    chain_gap: ChainGap = None,
    max_linger: MaxLinger = None,
    narrow_width: NarrowWidth = None,
    max_shift: Annotated[
        float | None,
        typer.Option(
            "--max-shift",
            metavar="SECONDS",
            help="How far a cue may move (default: 300).",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    stretch: Annotated[
        bool,
        typer.Option(
            "--stretch/--no-stretch",
            help="Look for another frame rate, or any other stretching.",
            rich_help_panel=_SEARCH,
        ),
    ] = True,
    cuts: Annotated[
        bool,
        typer.Option(
            "--cuts/--no-cuts",
            help="Let parts move apart, where the video was cut.",
            rich_help_panel=_SEARCH,
        ),
    ] = True,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Write the file even where it is not sure that cues and speech belong together.",
            rich_help_panel=_SEARCH,
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The new file (default: talk.en.synced.srt beside talk.en.srt; of aligned text "
            "talk.en.srt beside talk.mp4).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    in_place: InPlace = False,
    overwrite: Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was done as JSON, for programs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Bring subtitles into step with the speech in a video: shift, stretch, move parts.

    The new file is as the old one but for its times. With --align, text gets its times from the
    sound itself.

    [bold]Examples[/bold]

      subvino sync film.en.srt --video film.mkv

      subvino sync film.en.ass --video film.mkv --no-cuts --in-place

      subvino sync --align script.txt --video talk.mp4
    """
    screen = Screen(quiet=quiet)
    if video is None:
        raise OptionError("--video is missing: the video or audio file to go by")
    if (path is None) == (align is None):
        raise OptionError("give either FILE or --align, and --video")
    if align is not None:
        from subvino.cli.aligning import AlignPlan, align_text

        if in_place:
            raise OptionError("--in-place is for FILE; --align writes a file of its own")
        rules = RuleOptions(
            profile,
            max_chars,
            max_lines,
            max_cps,
            min_duration,
            max_duration,
            max_wpm,
            min_gap,
            frame_rate,
            chain_gap,
            max_linger,
            narrow_width,
        )
        kinds = split_list(formats)
        plan = AlignPlan(video, rules, kinds, language, model, audio_track, output, overwrite)
        align_text(align, plan, screen, as_json=as_json)
        return
    assert path is not None  # noqa: S101  one of the two is given
    _refuse_align_options(language=language, model=model, format=formats, profile=profile)
    from subvino.sync import SyncOptions

    options = SyncOptions(stretch=stretch, breaks=cuts, **given(max_shift=max_shift))
    file = read_subtitles(path)
    place = choose_place(path, file, output, in_place, "synced")
    place.check(overwrite)
    found = _find(path, file, video, audio_track, options, screen)
    _show(_apply(found, path, file, place, force=force), screen, as_json=as_json)


def _refuse_align_options(**options: object) -> None:
    wrong = [f"--{name}" for name, value in options.items() if value is not None]
    if wrong:
        raise OptionError(f"{wrong[0]} needs --align: cues that are moved keep their text")


def _find(
    path: Path,
    file: SubtitleFile,
    video: Path,
    track: str | None,
    options: SyncOptions,
    screen: Screen,
) -> Retiming:
    from subvino.sync import find_retiming

    speech = hear_video(video, track, screen).segments
    found = find_retiming(file.cues, speech, options)
    if found is None:
        what = "nobody speaks in it" if not speech else f"there is no cue in {path}"
        raise UnsureError(f"{video}: {what}; nothing to go by")
    return found


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done: the file written, and the numbers of the cues that have no place."""

    retiming: Retiming
    path: Path
    written: Path
    n_cues: int
    left_out: tuple[int, ...]


def _apply(
    retiming: Retiming, path: Path, file: SubtitleFile, place: Place, *, force: bool
) -> _Done:
    from subvino.formats import MAX_FILE_BYTES, decode_text, encode_text, retime, write
    from subvino.inputs import read_file
    from subvino.subtitles import RawCue, settle
    from subvino.sync import MIN_CERTAINTY, describe

    if retiming.certainty < MIN_CERTAINTY and not force:
        raise UnsureError(
            f"{path}: not sure that it belongs to this speech: it would be {describe(retiming)} "
            f"(certainty {retiming.certainty:.1f}, wanted {MIN_CERTAINTY}); --force writes it"
        )
    times = retiming.times(file.cues)
    text = None
    if place.format == file.format:
        content = decode_text(read_file(path, MAX_FILE_BYTES))[0]
        text = retime(content, file.format, file.cues, times)
    if text is None:
        moved = [RawCue(*new, cue.text) for cue, new in zip(file.cues, times, strict=True) if new]
        text = write(settle(moved, file.language)[0], place.format)
    written = place.write_content(encode_text(text, file.encoding == "utf-8-sig"))
    left_out = tuple(number for number, new in enumerate(times, start=1) if new is None)
    return _Done(retiming, path, written, len(times), left_out)


def _show(done: _Done, screen: Screen, *, as_json: bool) -> None:
    from subvino.sync import describe, to_json

    if as_json:
        context: dict[str, Any] = {
            "file": str(done.path),
            "output": str(done.written),
            "n_cues": done.n_cues,
            "left_out": list(done.left_out),
        }
        typer.echo(to_json(done.retiming, **context), nl=False)
        return
    screen.note(f"{done.path}: {describe(done.retiming)}")
    if done.left_out:
        numbers = ", ".join(map(str, done.left_out[:20]))
        more = f" and {len(done.left_out) - 20} more" if done.left_out[20:] else ""
        screen.complain(
            f"{done.path}: the video has no place for {len(done.left_out)} of {done.n_cues} cues, "
            f"left out: {numbers}{more}"
        )
    screen.result(str(done.written))
