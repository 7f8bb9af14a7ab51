"""What a command prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

# C0, DEL, C1 and the line separators. What joins letters of other scripts stays.
_ACTED_ON = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

TRACEBACK_VARIABLE = "SUBVINO_TRACEBACK"


@dataclass(frozen=True, slots=True)
class Screen:
    """Says as much as the user wants to hear; both flags False is the usual.

    quiet: nothing but errors. verbose: cues too, and tracebacks.
    """

    quiet: bool = False
    verbose: bool = False
    _said: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def has_bars(self) -> bool:
        """Whether progress is drawn, which takes a terminal."""
        return not self.quiet and sys.stderr.isatty()

    def result(self, text: str) -> None:
        """A line on stdout; to a program, a path goes as it is."""
        if not self.quiet:
            _print(to_visible(text) if sys.stdout.isatty() else text, sys.stdout)

    def note(self, text: str) -> None:
        """A line on stderr that a program need not see."""
        if not self.quiet:
            _print(to_visible(text), sys.stderr)

    def note_once(self, text: str) -> None:
        """A note that stands for all of its kind."""
        if text not in self._said:
            self._said.add(text)
            self.note(text)

    def error(self, text: str) -> None:
        """A line on stderr about what went wrong."""
        self.complain(f"error: {text}")

    def complain(self, text: str) -> None:
        """A line on stderr that the user must see."""
        _print(to_visible(text), sys.stderr)

    def bug(self, error: BaseException) -> str:
        """Describes an error that nobody foresaw; with its traceback where one is wanted."""
        if self.verbose or os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exception(error)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return (
            f"unexpected {reason}; this is a fault of subvino, run again with --verbose "
            f"(or {TRACEBACK_VARIABLE}=1) to see where it is"
        )


def _print(line: str, stream: TextIO) -> None:
    # Flushed, as a reader of a pipe waits for it, and stdout and stderr keep their order.
    print(line, file=stream, flush=True)


def make_streams_lenient() -> None:
    """Let stdout and stderr show what a terminal's encoding lacks as an escape, not raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def to_visible(text: str) -> str:
    r"""The text on one line, with escapes for what a terminal would act on.

    >>> to_visible("a\x1b[2Jb\nc")
    'a\\x1b[2Jb\\nc'
    """
    return _ACTED_ON.sub(lambda match: repr(match[0])[1:-1], text)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their columns one under another.

    >>> align([("NAME", "SIZE"), ("base", "74 MB")])
    ['NAME  SIZE', 'base  74 MB']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def format_size(n_bytes: int) -> str:
    """Bytes as people read them; a megabyte is a million of them.

    >>> format_size(290_403_936), format_size(3_087_130_976), format_size(900)
    ('290 MB', '3.1 GB', '0 MB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
