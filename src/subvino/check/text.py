"""What other tools leave in the text of cues: markup that was no markup, garbled characters."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

# Bounded and without the opening character inside, so that no text takes quadratic time.
_TAGS = re.compile(
    r"</?(?:b|i|u|s|em|strong|font|span|ruby|rt|v|c|lang|p|div)(?:[\s.=][^<>]{0,300})?>",
    re.IGNORECASE,
)
_BREAK_TAG = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{(?:\\|[yYcCfFsSpP]:)[^{}]{0,300}\}")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|lrm|rlm|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
# Not behind a colon or another backslash: "C:\New" is a path.
_ASS_BREAK = re.compile(r"(?<![:\\])\\N")
_ASS_SPACE = re.compile(r"(?<![:\\])\\h")
# Control characters but line breaks, byte order marks inside, soft hyphens.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufeff\u00ad]")
# All white space but the kinds that must not break.
_SPACES = re.compile("[^\\S\u00a0\u202f\u2007\u3000]+")


def clean_text(text: str) -> str:
    r"""The text without leftovers: no tags, entities or invisible characters, even white space.

    Lines stay lines; none is empty.

    >>> clean_text("<i>Fish  &amp; chips</i>\\Nand {\\an8}tea")
    'Fish & chips\nand tea'
    """
    return even_spaces(_until_stable(_strip_markup, text))


def even_spaces(text: str) -> str:
    """The text's lines without empty ones, and without white space that is not shown."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _strip_markup(text: str) -> str:
    """The text without one layer of markup: an entity may spell a tag."""
    text = _OVERRIDE.sub("", _TAGS.sub("", _BREAK_TAG.sub("\n", text)))
    text = _ASS_SPACE.sub(" ", _ASS_BREAK.sub("\n", text))
    return _INVISIBLE.sub("", _ENTITY.sub(lambda match: html.unescape(match[0]), text))


def _until_stable(change: Callable[[str], str], text: str) -> str:
    # Each layer makes the text shorter or is the last.
    while (changed := change(text)) != text:
        text = changed
    return text


# UTF-8 read as Windows-1252 shows each letter as one of the capitals and one of these, or as a
# small letter and two of these: twice, as "é…”" alone ends many a French sentence.
_FOLLOWING = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_GARBLED = re.compile(f"[ÂÃÎÏÐÑ]{_FOLLOWING}|â€{_FOLLOWING}|(?:[à-ï]{_FOLLOWING}{{2}}){{2}}|ï»¿")


def find_garbled(text: str) -> str | None:
    """The first characters that look like UTF-8 read in another encoding, with what they were.

    Some mean what they say ("NÂ”" in capitals at a closing quotation mark): a hint, no proof.

    >>> find_garbled("GrÃ¼ÃŸe"), find_garbled("Grüße")
    ("'Ã¼' looks like a garbled 'ü'", None)
    """
    if "\ufffd" in text:
        return "characters that could not be read (U+FFFD)"
    for match in _GARBLED.finditer(text):
        meant = _ungarble(match[0])
        if meant is not None:
            return f"{match[0]!r} looks like a garbled {meant!r}"
    return None


def _ungarble(text: str) -> str | None:
    try:
        return b"".join(_cp1252_byte(char) for char in text).decode("utf-8")
    except UnicodeError:
        return None


def _cp1252_byte(char: str) -> bytes:
    """Windows-1252 leaves five bytes undefined; they come as U+0081 and so on."""
    return char.encode("latin-1") if ord(char) < 0x100 else char.encode("cp1252")
