"""Where a sentence ends, and the word inside its punctuation."""

from __future__ import annotations

import re
from functools import lru_cache

from subvino.linebreak.function_words import words_of

SENTENCE_END = frozenset(".!?…。！？｡؟۔।॥")
CLAUSE_END = frozenset(";:；：؛—–")
COMMA = frozenset(",，、､،・")
QUOTES = "\"'”’»›)]}」』）】》〉〕"
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")
_INITIAL = re.compile(r"(?:\w\.)+")


def primary_language(language: str) -> str:
    """The code without its region: "pt-BR" is "pt"."""
    return re.split("[-_]", language.lower(), maxsplit=1)[0]


def ends_sentence(left: str, right: str, language: str) -> bool:
    """Whether a sentence ends between two neighbouring units.

    >>> ends_sentence("home.", " He", "en"), ends_sentence("Mr.", " Hale", "en")
    (True, False)
    """
    tail = left.rstrip(QUOTES)
    if not tail or tail[-1] not in SENTENCE_END:
        return False
    if tail[-1] not in ".…":
        return True
    following = _EDGES.sub("", right)
    if following[:1].islower():
        return False
    return not (tail.endswith(".") and _abbreviates(tail, following, language))


def _abbreviates(tail: str, following: str, language: str) -> bool:
    core = core_of(tail)
    if core in words_of(language).titles:
        return True
    if core.isdigit():
        # German ordinals: "am 3. Mai"; elsewhere a number may well end a sentence.
        return language in ("de", "nl") and not following[:1].isdigit()
    return bool(_INITIAL.fullmatch(tail.strip())) and core not in ("i", "я", "o", "y", "e")


@lru_cache(maxsize=65536)
def _core_cached(text: str) -> str:
    return _EDGES.sub("", text.lower().replace("’", "'"))


def core_of(text: str) -> str:
    """The word without the punctuation around it, lower case."""
    text = text.strip()
    return text.lower() if text.isalpha() else _core_cached(text)
