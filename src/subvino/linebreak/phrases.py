"""The bonds of a whole text; in Chinese, Japanese and Thai its phrases stay whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import accumulate, pairwise

from subvino.linebreak.bonds import NEUTRAL, NEVER, bond
from subvino.linebreak.units import is_unspaced_joint


def bonds(units: Sequence[str], language: str) -> Iterator[float]:
    """The bond of each unit with the next; one less than there are units.

    In Chinese, Japanese and Thai the phrases that BudouX finds stay whole, where it is installed.
    """
    found = (bond(left, right, language) for left, right in pairwise(units))
    parse = _phrase_parser(language)
    return found if parse is None or not units else _phrase_bonds(units, found, parse, language)


_INSIDE_PHRASE = 1.5
"""Bond within a phrase: worse than between article and noun, but a long phrase may be broken."""

_PHRASE_LOADERS = {
    "ja": "load_default_japanese_parser",
    "th": "load_default_thai_parser",
    "yue": "load_default_traditional_chinese_parser",
    "zh": "load_default_simplified_chinese_parser",
}
_Parse = Callable[[str], Sequence[str]]


@cache
def _phrase_parser(language: str) -> _Parse | None:
    """What parts a text into phrases; None where there is none for the language (extra cjk)."""
    if language not in _PHRASE_LOADERS or find_spec("budoux") is None:
        return None
    parse: _Parse = getattr(import_module("budoux"), _PHRASE_LOADERS[language])().parse
    return parse


def _phrase_bonds(
    units: Sequence[str], found: Iterator[float], parse: _Parse, language: str
) -> Iterator[float]:
    begins = set(accumulate(map(len, parse("".join(units)))))
    places = accumulate(map(len, units))
    for (left, right), tie, place in zip(pairwise(units), found, places, strict=False):
        if tie == NEVER or not is_unspaced_joint(left[-1:], right[:1]):
            yield tie
        elif place not in begins:
            yield max(tie, _INSIDE_PHRASE)
        else:
            # Japanese phrases end with their particles; Chinese ones are words, some of which lean.
            yield min(tie, NEUTRAL) if language == "ja" else tie
