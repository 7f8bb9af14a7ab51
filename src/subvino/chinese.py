"""Chinese in one script.

Floor 1 of the road. Whisper was taught Chinese in simplified and in traditional characters and
writes either, changing from one window to the next. What it says is the same; subtitles have one
script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from subvino.transcript import ChineseScript, Segment, Word

_OPENCC_CONFIGS = {"simplified": ("t2s", "tw2s"), "traditional": ("s2t", "s2tw")}
"""For each script the conversion that leaves text alone which is in it already, and the one that
does the work: 著 is 着 in 笑著說, as Whisper and Taiwan write it, but not in 显著."""

_TRADITIONAL_TAGS = frozenset({"hant", "tw", "hk", "mo", "cht"})
_TRADITIONAL_CODES = frozenset({"zht", "zt"})
"""As Bazarr, Jellyfin and Plex have it in file names and requests."""


def script_of_tag(tag: str) -> ChineseScript:
    """The script that a language tag asks for; without a word of it, what zh is by itself.

    >>> script_of_tag("zh-TW"), script_of_tag("zh-Hant-HK"), script_of_tag("zh")
    ('traditional', 'traditional', 'simplified')

    Source: Unicode CLDR, likely subtags (zh is zh-Hans-CN, zh-TW is zh-Hant-TW).
    """
    language, *subtags = tag.strip().lower().replace("_", "-").split("-")
    is_traditional = language in _TRADITIONAL_CODES or (
        "hans" not in subtags and not _TRADITIONAL_TAGS.isdisjoint(subtags)
    )
    return "traditional" if is_traditional else "simplified"


def in_script(segment: Segment, script: ChineseScript) -> Segment:
    """The segment in one script; its words keep their times."""
    if script == "as-heard":
        return segment
    convert = _converter(script)
    if segment.words is None:
        return replace(segment, text=convert(segment.text))
    words = tuple(_converted(segment.words, convert))
    return replace(segment, text="".join(word.text for word in words).strip(), words=words)


def _converted(words: Sequence[Word], convert: Callable[[str], str]) -> Iterator[Word]:
    """Each word as its surroundings want it (发 is 髮 or 發), so long as no character is added."""
    joined = "".join(word.text for word in words)
    whole, begin = convert(joined), 0
    for word in words:
        end = begin + len(word.text)
        text = whole[begin:end] if len(whole) == len(joined) else convert(word.text)
        yield replace(word, text=text)
        begin = end


@cache
def _converter(script: ChineseScript) -> Callable[[str], str]:
    from opencc import OpenCC

    plain, convert = (OpenCC(name).convert for name in _OPENCC_CONFIGS[script])

    def convert_other(text: str) -> str:
        return convert(text) if plain(text) != text else text

    return convert_other
