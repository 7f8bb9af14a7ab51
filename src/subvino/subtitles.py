"""Cues and the ordered list of them: what is shown and when.

Floor 0 of the road. Whole milliseconds from here on, rounded once when a cue is made.
A file that somebody else made gives `RawCue`s, in which anything may be wrong; `settle` makes
`Subtitles` of them and says what it had to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


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

    def word_lines(self) -> tuple[tuple[CueWord, ...], ...]:
        """The words by line; () where they are not known or are not the lines' words."""
        words = list(reversed(self.words))
        rows: list[tuple[CueWord, ...]] = []
        for line in self.lines:
            row: list[CueWord] = []
            left = _squeeze(line)
            while left and words and left.startswith(_squeeze(words[-1].text)):
                row.append(words.pop())
                left = left[len(_squeeze(row[-1].text)) :]
            if left:
                return ()
            rows.append(tuple(row))
        return () if words else tuple(rows)


def _squeeze(text: str) -> str:
    """The text without any white space."""
    return "".join(text.split())


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


@dataclass(frozen=True, slots=True)
class RawCue:
    """A cue as a file has it: it may overlap others, be out of order, empty or end too early.

    text: plain, lines parted by line breaks. line: of the file where it stands, from 1; 0 where
    that says nothing.
    """

    start_ms: int
    end_ms: int
    text: str
    line: int = 0


_UNKNOWN_DURATION_MS = 1000
"""Shown for this long where a cue's end is missing or lies before its start."""


def settle(raw: Iterable[RawCue], language: str = "") -> tuple[Subtitles, tuple[str, ...]]:
    """Subtitles of cues that may be wrong in any way, and a note for each thing changed.

    Cues are put in order; where two overlap, the earlier goes out when the later comes in; two
    that come in together become one. No text is lost but that of cues said twice at one time.
    """
    notes: list[str] = []
    given = list(raw)
    cues = [_mend(cue, notes) for cue in given if _told(cue, notes)]
    ordered = sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    notes += [f"{_place(cue)}: out of order" for cue in _displaced(cues)]
    settled = _part(ordered, notes)
    return Subtitles(tuple(_as_cue(cue) for cue in settled), language), tuple(notes)


def _place(cue: RawCue) -> str:
    return f"line {cue.line}" if cue.line else f"cue at {cue.start_ms} ms"


def _told(cue: RawCue, notes: list[str]) -> bool:
    if not cue.text.strip():
        notes.append(f"{_place(cue)}: empty, left out")
    return bool(cue.text.strip())


def _mend(cue: RawCue, notes: list[str]) -> RawCue:
    start_ms = max(cue.start_ms, 0)
    if cue.end_ms > start_ms:
        return replace(cue, start_ms=start_ms)
    notes.append(f"{_place(cue)}: does not end after its start, shown for 1 s at most")
    return replace(cue, start_ms=start_ms, end_ms=start_ms + _UNKNOWN_DURATION_MS)


def _displaced(cues: Sequence[RawCue]) -> list[RawCue]:
    latest, late = 0, []
    for cue in cues:
        if cue.start_ms < latest:
            late.append(cue)
        latest = max(latest, cue.start_ms)
    return late


def _part(cues: Sequence[RawCue], notes: list[str]) -> list[RawCue]:
    """The cues, in order, without overlaps."""
    parted: list[RawCue] = []
    for cue in cues:
        before = parted[-1] if parted else None
        if before is None or before.end_ms <= cue.start_ms:
            parted.append(cue)
        elif before.start_ms < cue.start_ms:
            over = before.end_ms - cue.start_ms
            notes.append(f"{_place(before)}: ends {over} ms after the next begins, cut short")
            parted[-1] = replace(before, end_ms=cue.start_ms)
            parted.append(cue)
        else:
            notes.append(f"{_place(cue)}: begins together with the one before, joined to it")
            text = before.text if cue.text == before.text else f"{before.text}\n{cue.text}"
            parted[-1] = replace(before, end_ms=max(before.end_ms, cue.end_ms), text=text)
    return parted


def _as_cue(cue: RawCue) -> Cue:
    lines = tuple(line.strip() for line in cue.text.splitlines() if line.strip())
    return Cue(cue.start_ms, cue.end_ms, lines)
