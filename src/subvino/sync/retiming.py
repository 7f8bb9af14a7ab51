"""From old times to new ones: one rate for the whole file, a shift for each piece of it."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from subvino.subtitles import RawCue

_FRAME_RATES = (24000 / 1001, 24.0, 25.0)
_NAMES = ("23.976", "24", "25")

KNOWN_RATES: Mapping[str, float] = MappingProxyType(
    {
        f"{made} → {shown} frames/s": made_rate / shown_rate
        for made, made_rate in zip(_NAMES, _FRAME_RATES, strict=True)
        for shown, shown_rate in zip(_NAMES, _FRAME_RATES, strict=True)
        if made != shown
    }
)
"""By what times are multiplied when a film of one frame rate is shown, frame for frame, at another.

29.97 to 30 is as 23.976 to 24.
"""


MIN_CERTAINTY = 1.2
"""Certainty below which a retiming is not to be believed; see `Retiming`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Cues that begin at `start_ms` or later (old time), until the next piece, move by `shift_ms`.

    n_cues: how many there are.
    """

    start_ms: int
    shift_ms: int
    n_cues: int = 0


@dataclass(frozen=True, slots=True)
class Retiming:
    """New time = old time x rate + the shift of the piece that the cue begins in.

    pieces: one at least, in order; the first holds all that comes before the second.
    certainty: seconds by which cues and speech agree better than elsewhere, what cuts cost taken
        off, over the root of the number of cues. Of 15 files held against the sound of 10
        readings, those that belong together had 1.9 to 31 (but for 3 without any pause between
        cues), nearly all of the 135 others less than 1.2.
    """

    rate: float
    pieces: tuple[Piece, ...]
    certainty: float = 0.0

    def __post_init__(self) -> None:
        """A retiming has a piece, and runs forward."""
        if not self.pieces or not self.rate > 0:
            raise ValueError("a retiming has a positive rate, and one piece at least")
        if any(a.start_ms >= b.start_ms for a, b in pairwise(self.pieces)):
            raise ValueError("pieces come in order")

    def move(self, start_ms: int, time_ms: int) -> int:
        """The new time of a time in a cue that begins at `start_ms`; may be below 0."""
        at = bisect_right([piece.start_ms for piece in self.pieces], start_ms) - 1
        return round(time_ms * self.rate) + self.pieces[max(at, 0)].shift_ms

    def times(self, cues: Sequence[RawCue]) -> list[tuple[int, int] | None]:
        """Each cue's new times; None for a cue that has no place in the video.

        That is one that would lie before its beginning, or that a piece of the video that was
        cut away would have had: it would stand among the cues after the cut.
        """
        moved = [
            (self.move(cue.start_ms, cue.start_ms), self.move(cue.start_ms, cue.end_ms))
            for cue in cues
        ]
        bounds = list(self._bounds(cues))
        return [
            None
            if times[1] <= 0 or any(_crosses(cue, times, bound) for bound in bounds)
            else (max(times[0], 0), times[1])
            for cue, times in zip(cues, moved, strict=True)
        ]

    def _bounds(self, cues: Sequence[RawCue]) -> Iterator[tuple[int, int]]:
        """Of each cut after which less time is left: old time of it, new time of what follows."""
        for before, after in pairwise(self.pieces):
            if after.shift_ms < before.shift_ms:
                first = min((c.start_ms for c in cues if c.start_ms >= after.start_ms), default=0)
                yield after.start_ms, self.move(first, first)


def _crosses(cue: RawCue, times: tuple[int, int], bound: tuple[int, int]) -> bool:
    return cue.start_ms < bound[0] and times[0] >= bound[1]


def describe(retiming: Retiming) -> str:
    """What is done to the times, in a line.

    >>> describe(Retiming(25 / 24, (Piece(0, -1500, 12),)))
    'stretched by 1.0417 (25 → 24 frames/s), moved by -1.500 s'
    """
    parts = []
    if retiming.rate != 1:
        name = next((n for n, rate in KNOWN_RATES.items() if abs(rate - retiming.rate) < 1e-6), "")
        parts.append(f"stretched by {retiming.rate:.4f}{f' ({name})' if name else ''}")
    if len(retiming.pieces) > 1:
        pieces = ", ".join(_describe_piece(piece) for piece in retiming.pieces)
        parts.append(f"moved in {len(retiming.pieces)} pieces: {pieces}")
    elif retiming.pieces[0].shift_ms or not parts:
        parts.append(f"moved by {_seconds(retiming.pieces[0].shift_ms)}")
    return ", ".join(parts)


def _describe_piece(piece: Piece) -> str:
    minutes, rest = divmod(max(piece.start_ms, 0), 60_000)
    return f"{_seconds(piece.shift_ms)} from {minutes}:{rest // 1000:02}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:+.3f} s"


def to_json(retiming: Retiming, **context: Any) -> str:
    """The documented JSON form (docs/sync.md), ending in a line break."""
    row = {
        **context,
        "rate": round(retiming.rate, 6),
        "certainty": round(retiming.certainty, 2),
        "pieces": [
            {"start_ms": one.start_ms, "shift_ms": one.shift_ms, "n_cues": one.n_cues}
            for one in retiming.pieces
        ],
    }
    return json.dumps(row, ensure_ascii=False, indent=2) + "\n"
