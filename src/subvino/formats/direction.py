"""Lines of right-to-left scripts, marked so that every player shows them in their order.

Players take a line's direction from its first letter (WebVTT), from the first letter of the cue,
or to be left to right (most readers of SRT and ASS). A Hebrew or Arabic line with a name in Latin
letters, a number or a full stop is then shown in the wrong order. Embedding it (UAX #9, 2.1) says
its direction in the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_EMBED, _END = "\u202b", "\u202c"
_RIGHT = frozenset(("R", "AL"))
_IN_ORDER = _RIGHT | {"NSM", "WS"}
_MARKS = re.compile(rf"^[\u200f{_EMBED}]+|{_END}+$", re.MULTILINE)


def mark_direction(line: str, shown: str | None = None) -> str:
    """The line between marks of its direction, where it would not be shown right without them.

    shown: what is seen of it, where it holds markup.

    >>> mark_direction("שלום (OK).")
    '\\u202bשלום (OK).\\u202c'
    >>> mark_direction("שלום"), mark_direction("They often say שלום.")
    ('שלום', 'They often say שלום.')
    """
    kinds = Counter(map(unicodedata.bidirectional, line if shown is None else shown))
    n_right = sum(kinds[kind] for kind in _RIGHT)
    if not n_right or kinds["L"] > 2 * n_right or _IN_ORDER.issuperset(kinds):
        return line
    return f"{_EMBED}{line}{_END}"


def without_marks(text: str) -> str:
    """The text without such marks around its lines, whoever put them there."""
    return _MARKS.sub("", text)
