"""`subvino fix`: anybody's subtitles repaired, in a new file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.options import given
from subvino.cli.screen import Screen, align
from subvino.cli.subtitle_input import (
    AudioTrack,
    ChainGap,
    File,
    FrameRate,
    InPlace,
    Language,
    MaxChars,
    MaxCps,
    MaxDuration,
    MaxLines,
    MaxWpm,
    MinDuration,
    MinGap,
    NarrowWidth,
    Overwrite,
    Profile,
    RuleOptions,
    Video,
    hear_video,
    read_subtitles,
    text_language,
)
from subvino.errors import OptionError

if TYPE_CHECKING:
    from subvino.cues import CueRules
    from subvino.fix import Fixed, FixOptions
    from subvino.formats import SubtitleFile
    from subvino.outputs import OutputLog

_FILES, _SPEECH = "Files written", "Speech"
_ROWS = 50
_STYLED = ("ass", "ttml")
"""Formats whose files may say how and where text is shown."""


def fix(  # as long as there are options: Typer reads them off the parameters
    path: File,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The fixed file; its ending says the format (default: talk.en.fixed.srt beside "
            "talk.en.srt).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    in_place: InPlace = False,
    overwrite: Overwrite = False,
    video: Video = None,
    audio_track: AudioTrack = None,
    snap: Annotated[
        float | None,
        typer.Option(
            "--snap",
            metavar="SECONDS",
            help="With --video: move in-times this far at most, onto where speech begins "
            "(default: 0.3).",
            rich_help_panel=_SPEECH,
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
    narrow_width: NarrowWidth = None,
    language: Language = None,
    rows: Annotated[
        int,
        typer.Option(
            "--rows",
            metavar="N",
            min=0,
            help=f"Show the first N changes, 0 for all (default: {_ROWS}).",
            show_default=False,
        ),
    ] = _ROWS,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was changed as JSON, for programs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Repair subtitles: order, overlaps, gaps, durations, lines, leftovers of markup.

    Cues that are too long are cut anew, flashes joined with what follows; no word is lost or
    moved past another. Styles, positions and italics are not kept. Fixing twice changes nothing.

    [bold]Examples[/bold]

      subvino fix film.en.srt --profile netflix

      subvino fix film.en.ass -o film.en.vtt --video film.mkv

      subvino fix film.en.srt --in-place
    """
    from subvino.fix import FixOptions

    if video is None and (audio_track or snap is not None):
        raise OptionError("options about speech need --video")
    screen = Screen(quiet=quiet)
    options = RuleOptions(
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
        narrow_width=narrow_width,
    )
    options.rules_for("")
    file = read_subtitles(path)
    place = choose_place(path, file, output, in_place, "fixed")
    place.check(overwrite)
    code = text_language(language, file, path)
    rules = options.rules_for(code)
    onsets: list[float] = []
    if video is not None:
        onsets = [part.start for part in hear_video(video, audio_track, screen).segments]
    fixed = _fix(path, file, rules, FixOptions(code, tuple(onsets), **given(max_snap=snap)))
    written = _write(fixed, file, place)
    if as_json and not quiet:
        context = {"file": str(path), "output": str(written), "profile": options.profile_name}
        typer.echo(fixed.to_json(**context, **_count_findings(file, fixed, rules)), nl=False)
    elif not quiet:
        _show(fixed, rows, screen)
        counts = _count_findings(file, fixed, rules)
        screen.note("violations: {n_findings_before} before, {n_findings} now".format(**counts))
    if file.format in _STYLED and not quiet:
        screen.note(f"styles and positions of {file.format} files are not kept")
    if not as_json:
        screen.result(str(written))


def _fix(path: Path, file: SubtitleFile, rules: CueRules, options: FixOptions) -> Fixed:
    """A transcript is cut by the times of its words; other cues have only their own."""
    from subvino.fix import fix_cues, fix_transcript
    from subvino.pipeline import read_transcript

    if file.format == "json":
        return fix_transcript(read_transcript(path), rules, options)
    return fix_cues(file.cues, rules, options)


def _count_findings(file: SubtitleFile, fixed: Fixed, rules: CueRules) -> dict[str, int]:
    """How many rules are broken before and after."""
    from subvino.check import check
    from subvino.formats import SubtitleFile
    from subvino.subtitles import RawCue

    language = fixed.subtitles.language
    cues = tuple(RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in fixed.subtitles.cues)
    after = SubtitleFile(cues, file.format, "utf-8", language)
    before = check(file, rules, language=language)
    return {
        "n_findings_before": len(before.findings),
        "n_findings": len(check(after, rules, language=language).findings),
    }


def _show(fixed: Fixed, most_rows: int, screen: Screen) -> None:
    """The changes as a table."""
    from subvino.check import describe_time

    shown = fixed.changes[:most_rows] if most_rows else fixed.changes
    rows = [
        (describe_time(change.time_ms), str(change.cue), change.kind, change.note)
        for change in shown
    ]
    for line in align([("TIME", "CUE", "CHANGE", ""), *rows]) if rows else ["nothing to change"]:
        screen.note(line)
    if len(shown) < len(fixed.changes):
        screen.note(f"and {len(fixed.changes) - len(shown)} more: --rows 0 or --json shows all")


# --- where the file goes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where the new file goes. backup: where the original goes then; None where it stays."""

    path: Path
    format: str
    original: Path
    backup: Path | None = None

    def check(self, overwrite: bool) -> None:
        """Refuse, before the work, what could not be written after it."""
        from subvino.outputs import check_writable

        check_writable(self.path.parent)
        if self.backup is None and not overwrite:
            self._log().check(self.path)

    def write_content(self, content: bytes) -> Path:
        """Write it whole or not at all, the original to its backup first; gives the path."""
        from subvino.formats import MAX_FILE_BYTES
        from subvino.inputs import read_file
        from subvino.outputs import write_file

        if self.backup is not None:
            write_file(self.backup, read_file(self.original, MAX_FILE_BYTES))
        self._log().write(self.path, content)
        return self.path

    def _log(self) -> OutputLog:
        from subvino.models import outputs_folder
        from subvino.outputs import OutputLog

        return OutputLog(outputs_folder())


def _write(fixed: Fixed, file: SubtitleFile, place: Place) -> Path:
    """Write the fixed cues; in place, only if anything is another. Gives the path."""
    from subvino.formats import encode_text, write

    same = not fixed.changes and file.encoding in ("utf-8", "utf-8-sig")
    if place.backup is not None and same:
        return place.path
    mark = file.encoding == "utf-8-sig"
    return place.write_content(encode_text(write(fixed.subtitles, place.format), mark))


def choose_place(
    path: Path, file: SubtitleFile, output: Path | None, in_place: bool, ending: str
) -> Place:
    """Where what is made of a subtitle file goes.

    ending: of the name beside the input's: "fixed" for talk.en.fixed.srt. Raises OptionError.
    """
    from subvino.formats import FORMATS

    if in_place and output is not None:
        raise OptionError("--in-place and --output don't go together; leave one out")
    own = file.format if FORMATS[file.format].write_subtitles else None
    if in_place:
        if own is None:
            raise OptionError(f"{path}: {file.format} can't be replaced by cues; use --output")
        return Place(path.resolve(), own, path, _backup_path(path.resolve()))
    if output is None:
        name = own or "srt"
        return Place(path.with_name(f"{path.stem}.{ending}{FORMATS[name].suffix}"), name, path)
    if output.resolve() == path.resolve():
        raise OptionError(f"{output} is the input; use --in-place to replace it")
    return Place(output, format_of(output), path)


def format_of(output: Path) -> str:
    """The format that a file's ending says; raises OptionError where it says none."""
    from subvino.formats import FORMATS

    known = {row.suffix: name for name, row in FORMATS.items() if row.write_subtitles}
    name = known.get(output.suffix.lower())
    if name is None:
        raise OptionError(f"{output}: must end in one of: {', '.join(known)}")
    return name


def _backup_path(path: Path) -> Path:
    """The first of talk.srt.bak, talk.srt.bak2, ... that is not there: an older one is kept."""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(place for place in map(path.with_name, names) if not place.exists())
