"""The ffmpeg executable: finding one that can do what is needed, and running it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from subvino.errors import MissingExtraError

_MAX_LINE = 4096
_KEPT_LINES = 30
_ASKING_SECONDS = 30.0
_OPTIONS = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning")
_TROUBLE = re.compile(r"(?:\[[^\]]* @ [^\]]*\] )*\[(error|fatal|panic)\] (.*)")
_NO_LETTER = re.compile(r"fontselect: failed to find any fallback with glyph 0x([0-9A-F]{1,6})\b")


def find_ffmpeg(purpose: str, needed: Iterable[str] = ()) -> str:
    """The system's ffmpeg if it has all that is needed, else that of the extra `video`.

    purpose: begins the error's message. needed: names of filters and encoders.

    Raises MissingExtraError.
    """
    system = shutil.which("ffmpeg")
    if system and set(needed) <= _abilities(system):
        return system
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:  # RuntimeError: its wheel is not this machine's
        raise MissingExtraError("video", purpose) from error


def _abilities(executable: str) -> set[str]:
    """Names of its filters and encoders: the second word of each line that lists one."""
    lines = [line.split() for kind in ("-filters", "-encoders") for line in _ask(executable, kind)]
    return {words[1] for words in lines if len(words) > 1}


def _ask(executable: str, option: str) -> list[str]:
    command = [executable, "-hide_banner", "-loglevel", "error", option]
    try:
        answer = subprocess.run(  # noqa: S603  the user's own ffmpeg, and options of ours
            command, capture_output=True, check=False, timeout=_ASKING_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.decode(errors="replace").splitlines()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    trouble: what it called errors, the last lines; missing_letters: those no font had.
    """

    succeeded: bool
    trouble: tuple[str, ...]
    missing_letters: str


def run_ffmpeg(
    executable: str, arguments: Sequence[str], folder: Path, on_position: Callable[[float], None]
) -> Outcome:
    """Run ffmpeg in a folder; `on_position` is told the seconds done, about twice a second.

    An exception in this process, Ctrl-C too, ends ffmpeg.
    """
    command = [executable, *_OPTIONS, "-progress", "pipe:1", *arguments]
    process = subprocess.Popen(  # noqa: S603  as above; no shell reads the arguments
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        try:
            trouble, letters = _listen(process.stdout, on_position)
            return Outcome(process.wait() == 0, trouble, letters)
        finally:
            process.kill()  # does nothing where it has ended


def _listen(
    output: IO[bytes] | None, on_position: Callable[[float], None]
) -> tuple[tuple[str, ...], str]:
    """Progress and messages come mixed, a line each; a damaged file can cause millions."""
    trouble: deque[str] = deque(maxlen=_KEPT_LINES)
    letters: set[str] = set()
    for line in _lines(output):
        if line.startswith("out_time_us="):
            on_position(_seconds(line))
        elif match := _TROUBLE.match(line):
            trouble.append(match[2])
        elif (missing := _NO_LETTER.search(line)) and int(missing[1], 16) <= 0x10FFFF:
            letters.add(chr(int(missing[1], 16)))
    return tuple(trouble), "".join(sorted(letters))


def _lines(output: IO[bytes] | None) -> Iterator[str]:
    while output and (line := output.readline(_MAX_LINE)):
        yield line.decode(errors="replace").strip()


def _seconds(line: str) -> float:
    """Of "out_time_us=1500000"; "N/A" stands there before the first packet."""
    value = line.partition("=")[2]
    return int(value) / 1e6 if value.isdecimal() else 0.0
