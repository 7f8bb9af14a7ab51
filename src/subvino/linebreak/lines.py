"""Units to balanced lines: what a layout costs, and the cheapest one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from subvino.linebreak.phrases import bonds
from subvino.linebreak.width import measure

# The shape of a cue, in units of the bond's cost. Tuned by reading cues of real speech.
_BOND_WEIGHT = 1.0
_BALANCE_WEIGHT = 2.0
_TOP_HEAVY_COST = 0.12
_LINE_COST = 0.15
_ORPHAN_COST = 0.35
_ORPHAN_WIDTH = 0.3


Number = TypeVar("Number", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class LineRules:
    """How much text fits.

    max_chars: per line.
    max_lines: per cue.
    narrow_width: what a character counts that is not wide by UAX 11; 0.5 where the wide
        characters of the language are the measure (Netflix Korean: Latin, space, punctuation).
    """

    max_chars: float
    max_lines: int
    narrow_width: float = 1.0


def line_cost(width: Number, single: bool, last: bool, max_chars: float) -> Number:
    """What a line of this width adds to the cost of a cue; sums over a cue's lines.

    Squares make even lines cheapest, a small slope makes the lower line the longer one, and a
    word alone on a line is an orphan.
    """
    share = width / max_chars
    slope = -_TOP_HEAVY_COST if last else _TOP_HEAVY_COST
    cost: Number = (_BALANCE_WEIGHT * share + slope) * share
    return cost + _ORPHAN_COST * (share < _ORPHAN_WIDTH) if single else cost


def layout_offset(width: Number, n_lines: int, max_chars: float) -> Number:
    """What to add to the sum of line costs so that layouts of unlike line counts compare."""
    share = width / max_chars
    cost: Number = _LINE_COST * (n_lines - 1) - _BALANCE_WEIGHT * share * share / n_lines
    return cost


def break_cost(bond_there: Number) -> Number:
    """What a line break over a bond costs."""
    cost: Number = _BOND_WEIGHT * bond_there
    return cost


def break_lines(units: Sequence[str], rules: LineRules, language: str = "") -> tuple[str, ...]:
    """The units on at most `max_lines` lines, broken where it hurts least.

    Text that does not fit gets as many lines as it needs; a unit wider than a line stands alone.

    >>> from subvino.linebreak import split_words
    >>> break_lines(split_words("We walked for hours to the old mill"), LineRules(24, 2), "en")
    ('We walked for hours', 'to the old mill')
    """
    if not units:
        return ()
    prefix, spaces = measure(units, rules.narrow_width)
    text = _Measured(prefix, spaces, [0.0, *bonds(units, language)])
    breaks = _best_breaks(text, max(rules.max_lines, _fewest_lines(text, rules)), rules)
    return tuple("".join(units[a:b]).strip() for a, b in pairwise(breaks))


@dataclass(frozen=True, slots=True)
class _Measured:
    prefix: list[float]
    spaces: list[float]
    bonds: list[float]

    def width(self, start: int, end: int) -> float:
        return self.prefix[end] - self.prefix[start] - self.spaces[start]


def _fewest_lines(text: _Measured, rules: LineRules) -> int:
    n_lines, start = 1, 0
    for end in range(1, len(text.prefix)):
        if end > start + 1 and text.width(start, end) > rules.max_chars:
            n_lines, start = n_lines + 1, end - 1
    return n_lines


_Layout = tuple[float, tuple[int, ...]]


def _best_breaks(text: _Measured, max_lines: int, rules: LineRules) -> tuple[int, ...]:
    """Where the cheapest layout of at most `max_lines` lines breaks; 0 and n are among them."""
    n = len(text.spaces)
    begun: dict[int, _Layout] = {0: (0.0, (0,))}
    best: _Layout = (float("inf"), (0, n))
    for n_lines in range(1, max_lines + 1):
        offset = layout_offset(text.width(0, n), n_lines, rules.max_chars)
        longer: dict[int, _Layout] = {}
        for layout in begun.values():
            for end, cost in _next_lines(text, layout, rules):
                grown = (cost, (*layout[1], end))
                if end == n:
                    best = min(best, (cost + offset, grown[1]))
                else:
                    longer[end] = min(longer.get(end, grown), grown)
        begun = longer
    return best[1]


def _next_lines(text: _Measured, layout: _Layout, rules: LineRules) -> Iterator[tuple[int, float]]:
    """Each end that the next line may have, with the cost of the layout up to there."""
    cost, breaks = layout
    start, n = breaks[-1], len(text.spaces)
    for end in range(start + 1, n + 1):
        width = text.width(start, end)
        if width > rules.max_chars and end > start + 1:
            return
        line = line_cost(width, end == start + 1 and n > 1, end == n, rules.max_chars)
        yield end, cost + line + (0.0 if end == n else break_cost(text.bonds[end]))
