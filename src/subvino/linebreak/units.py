"""The pieces between which a text may break, in scripts with spaces between words and without."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u31ff"  # CJK radicals, CJK punctuation, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # ideographs
    "\uff01-\uff65"  # full-width forms
    "\uff66-\uff9f"  # half-width kana
    "\U00020000-\U0003ffff"  # ideographs beyond the basic plane
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")

OPENING = frozenset("([{«‹“‘„‚¿¡「『（［｛〈《【〔〖〘“‘«")
CLOSING = frozenset(
    ")]}»›”’\"',.;:!?…%‰°、。，．；：！？」』）］｝〉》】〕〗〙・゠–—~～ー々〻ヽヾゝゞ"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ،؛؟۔।॥ๆฯ"
)
_CLINGING_CATEGORIES = ("Mn", "Me", "Mc")
# Thai and Lao: vowels written before their consonant, and vowels that follow it.
LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
FOLLOWING_VOWELS = frozenset("ะาำๅະາຳຽ")


def split_unspaced(text: str) -> list[str]:
    """A word cut where its script allows a break; a word of Latin letters stays whole.

    >>> split_unspaced("「日本」の車。"), split_unspaced("can't")
    (['「日', '本」', 'の', '車。'], ["can't"])
    """
    pieces: list[str] = []
    for char in text:
        if pieces and not _may_cut(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _may_cut(before: str, char: str) -> bool:
    last = before[-1]
    if last.isspace() or char in FOLLOWING_VOWELS or last in LEADING_VOWELS:
        return False
    if char in CLOSING or last in OPENING or clings(char):
        return False
    return bool(UNSPACED_CHAR.match(last) or UNSPACED_CHAR.match(char))


@lru_cache(maxsize=65536)
def clings(char: str) -> bool:
    """Whether a character stands on the one before it."""
    return unicodedata.category(char) in _CLINGING_CATEGORIES


def split_words(text: str) -> list[str]:
    """The units of a text; each carries the white space before it as one space.

    >>> split_words("Hello,  world 日本")
    ['Hello,', ' world', ' 日', '本']
    """
    units: list[str] = []
    for word in text.split():
        first, *rest = split_unspaced(word)
        units += [" " + first if units else first, *rest]
    return units


def join_lines(lines: Sequence[str]) -> str:
    """Lines as one: with a space between, or none where both sides write without spaces."""
    text = ""
    for line in (line.strip() for line in lines):
        if text and line:
            text += "" if is_unspaced_joint(text[-1], line[0]) else " "
        text += line
    return text


def is_unspaced_joint(left: str, right: str) -> bool:
    """Whether both characters are of scripts without spaces."""
    return bool(UNSPACED_CHAR.match(left) and UNSPACED_CHAR.match(right))
