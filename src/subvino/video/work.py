"""What muxing and burning have in common: names, a folder to work in, and a whole file or none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from subvino.errors import DiskFullError, OptionError, OutputError, OutputExistsError
from subvino.outputs import whole_file
from subvino.video.ffmpeg import Outcome, run_ffmpeg
from subvino.video.source import CONTAINERS, Source

Progress = Callable[[float], None]
"""Told the seconds of media time that are done."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A video that was made; notes: what its maker should know, a line each."""

    path: Path
    notes: tuple[str, ...] = ()


def default_output(video: Path, ending: str, suffixes: Sequence[str] = tuple(CONTAINERS)) -> Path:
    """Beside the video: of its kind where that is one of `suffixes`, else Matroska.

    >>> default_output(Path("talk.mp4"), "burned").name, default_output(Path("a.ts"), "x").name
    ('talk.burned.mp4', 'a.x.mkv')
    """
    suffix = video.suffix if video.suffix.lower() in suffixes else ".mkv"
    return video.with_name(f"{video.stem}.{ending}{suffix}")


def check_output(video: Path, output: Path, overwrite: bool) -> None:
    """Raises OptionError where it is the video itself, OutputExistsError where it is there."""
    if output.exists() and output.samefile(video):
        raise OptionError(f"{output}: is the video itself; give the output another name")
    if output.exists() and not overwrite:
        raise OutputExistsError(output)


class Call(Protocol):
    """Makes ffmpeg's arguments, all but the output's name."""

    def __call__(self, with_data: bool, /) -> Sequence[str]:
        """with_data: copy streams that are neither picture, sound nor subtitles."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A run of ffmpeg that makes a video out of another.

    files: by name, what is put into the folder that ffmpeg runs in: names of ours can't be taken
        for options, filters or addresses.
    """

    executable: str
    source: Source
    output: Path
    files: Mapping[str, str]
    progress: Progress | None = None

    def run(self, call: Call) -> tuple[Outcome, bool]:
        """Make the video; gives whether it was made with data, too. Raises OutputError."""
        with (
            tempfile.TemporaryDirectory(prefix="subvino.") as name,
            whole_file(self.output) as beside,
        ):
            folder = Path(name)
            for file, text in self.files.items():
                (folder / file).write_text(text, encoding="utf-8", errors="replace")
            target = ["-y", f"file:{beside.absolute()}"]
            # Containers know few kinds of data, and ffmpeg can't tell before which.
            for with_data in (True, False) if self.source.has_data else (True,):
                outcome = self._run([*call(with_data), *target], folder)
                if outcome.succeeded:
                    return outcome, with_data
            raise self._error(outcome)

    def _run(self, arguments: Sequence[str], folder: Path) -> Outcome:
        report = self.progress or _ignore
        return run_ffmpeg(self.executable, arguments, folder, report)

    def _error(self, outcome: Outcome) -> OutputError:
        if any("No space left on device" in line for line in outcome.trouble):
            return DiskFullError(self.output)
        reason = outcome.trouble[0] if outcome.trouble else "it gave no reason"
        message = f"{self.output}: ffmpeg could not make it ({reason})"
        return OutputError(f"{message}; an output that ends with .mkv takes most", self.output)


def _ignore(seconds: float) -> None:
    del seconds


def describe_trouble(source: Source, outcome: Outcome) -> tuple[str, ...]:
    """Notes on what went wrong in a run that made a file all the same."""
    if not outcome.trouble:
        return ()
    return (f"{source.path}: damaged, its copy may lack something ({outcome.trouble[-1]})",)
