"""Cues and the ordered list of them: what is shown and when.

Floor 0 of the road. Whole milliseconds from here on, rounded once when a cue is made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CueWord:
    """A word inside a cue, for word-level VTT and karaoke; `text` as in `transcript.Word`."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start_ms` until `end_ms` (media time), top line first.

    words: the cue's words with their times, in order, or () where they are not known.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    words: tuple[CueWord, ...] = ()

    def __post_init__(self) -> None:
        if self.start_ms < 0:
            raise ValueError(f"a cue can't start before 0 ({self.start_ms} ms)")
        if self.end_ms <= self.start_ms:
            raise ValueError(f"a cue must end after it starts ({self.start_ms}-{self.end_ms} ms)")
        if not any(line.strip() for line in self.lines):
            raise ValueError("a cue must have text")

    @property
    def text(self) -> str:
        """The lines joined by line breaks."""
        return "\n".join(self.lines)

    @property
    def duration_ms(self) -> int:
        """Milliseconds."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Subtitles:
    """Cues in order, none overlapping the next; `language` is a code, "" where unknown."""

    cues: tuple[Cue, ...]
    language: str = ""

    def __post_init__(self) -> None:
        for before, after in zip(self.cues, self.cues[1:], strict=False):
            if after.start_ms < before.end_ms:
                raise ValueError(
                    f"cues overlap: one ends at {before.end_ms} ms, "
                    f"the next starts at {after.start_ms} ms"
                )
