"""`subvino sync --align`: text that is known, its words timed by the sound, as subtitles."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import typer

from subvino.cli.options import given
from subvino.cli.progress import show_media, show_steps
from subvino.cli.screen import Screen
from subvino.cli.subtitle_input import RuleOptions, read_subtitles
from subvino.errors import InputError, OptionError, SubtitleFileError, UnsureError
from subvino.formats import FORMATS, MAX_FILE_BYTES, decode_text
from subvino.inputs import read_file
from subvino.languages import language_in_name
from subvino.linebreak import join_lines
from subvino.media import choose_audio_track, probe
from subvino.outputs import OutputPlace
from subvino.pipeline import (
    AUTO_LANGUAGE,
    DEFAULT_MODEL,
    AlignedText,
    FileWriter,
    OutputOptions,
    decoding_options,
    load_transcriber,
    place_outputs,
)

_LEAST_HEARD = 0.3
"""Share of the text's words that must be heard in the sound: another text shares less."""


@dataclass(frozen=True, slots=True)
class AlignPlan:
    """What is aligned with what, and which files come of it."""

    video: Path
    rules: RuleOptions
    formats: tuple[str, ...] | None = None
    language: str | None = None
    model: str | None = None
    audio_track: str | None = None
    output: Path | None = None
    overwrite: bool = False

    def outputs(self) -> OutputOptions:
        """Which files are written, and how; raises OptionError."""
        rules = self.rules
        formats = self.formats
        if self.output is not None:
            if formats is not None:
                raise OptionError("--format and --output don't go together; leave one out")
            formats = (_format_of(self.output),)
        existing = "overwrite" if self.overwrite else None
        return OutputOptions(
            rules=rules.changes, **given(formats=formats, existing=existing, profile=rules.profile)
        )

    def place(self, language: str) -> OutputPlace:
        """Where the files go: beside the video, named after it, or as --output says."""
        if self.output is None:
            return place_outputs(self.video)
        stem = self.output.stem.removesuffix(f".{language}")
        return OutputPlace(self.output.parent, stem)


def _format_of(output: Path) -> str:
    known = {row.suffix: name for name, row in FORMATS.items()}
    if output.suffix.lower() not in known:
        raise OptionError(f"{output}: must end in one of: {', '.join(known)}")
    return known[output.suffix.lower()]


def align_text(source: str, plan: AlignPlan, screen: Screen, *, as_json: bool) -> None:
    """Align a text, or the text in a file, and write the subtitles."""
    outputs = plan.outputs()
    text, name = read_text(source)
    language = plan.language or language_in_name(name) or AUTO_LANGUAGE
    options = decoding_options(language)
    choose_audio_track(probe(plan.video), plan.audio_track)
    writer = FileWriter(outputs)
    if options.language is not None:
        writer.check(plan.place(options.language), options.language)
    with show_steps(screen) as progress:
        transcriber = load_transcriber(plan.model or DEFAULT_MODEL, progress=progress)
    begin = time.perf_counter()
    with show_media(screen, str(plan.video), probe(plan.video).duration) as advance:
        aligned = transcriber.align(plan.video, text, options, plan.audio_track, advance)
    _check(aligned, plan.video, name)
    code = aligned.transcript.text_language
    paths = writer.write(aligned.transcript, plan.place(code))
    told = (
        f"{plan.video}: {aligned.n_words} words timed, {aligned.n_heard} of them heard, "
        f"in {time.perf_counter() - begin:.1f} s"
    )
    if as_json:
        row = {
            "video": str(plan.video),
            "outputs": [str(path) for path in paths],
            "language": code,
            "n_words": aligned.n_words,
            "n_heard": aligned.n_heard,
        }
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    screen.note(told)
    for path in paths:
        screen.result(str(path))


def _check(aligned: AlignedText, video: Path, name: str) -> None:
    if not aligned.n_words:
        raise SubtitleFileError(f"{name or 'the text'}: there is no word in it", name)
    if aligned.n_heard < _LEAST_HEARD * aligned.n_words:
        raise UnsureError(
            f"{video}: only {aligned.n_heard} of the text's {aligned.n_words} words are heard in "
            "it; check that they belong together, and --language"
        )


def read_text(source: str) -> tuple[str, str]:
    """The text to align, and the name of the file it comes from, "" where it is itself given.

    A file may hold subtitles or plain text. Raises InputError.
    """
    if not _is_file(source):
        if "\n" not in source and len(source.split()) < 2 and Path(source).suffix:
            raise SubtitleFileError(f"{source}: no such file; check the path", source)
        return source, ""
    path = Path(source)
    try:
        cues = sorted(read_subtitles(path).cues, key=lambda cue: cue.start_ms)
    except InputError:
        return decode_text(read_file(path, MAX_FILE_BYTES))[0], path.name
    return "\n".join(join_lines(cue.text.splitlines()) for cue in cues), path.name


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # too long for a name, or no name at all
        return False
