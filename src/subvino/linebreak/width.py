"""How wide text is, as the guides count characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache


def text_width(text: str, narrow_width: float = 1.0) -> float:
    """Characters of a line as the guides count them: marks that stand on a letter count nothing.

    >>> text_width("Grüße"), text_width("한국 TV", narrow_width=0.5)
    (5.0, 3.5)
    """
    if text.isascii():
        return len(text) * narrow_width
    return sum(_char_width(char, narrow_width) for char in text)


@lru_cache(maxsize=65536)
def _char_width(char: str, narrow_width: float) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else narrow_width


def measure(units: Sequence[str], narrow_width: float) -> tuple[list[float], list[float]]:
    """Widths summed up (n + 1) and the width of the space before each unit (n).

    A line of units a to b is `prefix[b] - prefix[a] - spaces[a]` wide.
    """
    prefix = [0.0]
    for unit in units:
        prefix.append(prefix[-1] + text_width(unit, narrow_width))
    return prefix, [narrow_width if unit[:1].isspace() else 0.0 for unit in units]
