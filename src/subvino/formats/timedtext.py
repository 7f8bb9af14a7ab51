"""Times written as a clock and the blocks of text under them, as SRT and WebVTT have them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from subvino.subtitles import Cue, CueWord, RawCue

_CLOCK = r"(?:(\d{1,4})\s?:\s?)?(\d{1,3})\s?:\s?(\d{1,2})(?:\s?[.,:]\s?(\d{1,9}))?"
_CLOCK_LINE = re.compile(_CLOCK)
_TIMES_LINE = re.compile(rf"\s*{_CLOCK}\s*-{{1,3}}>\s*{_CLOCK}(?![\d:])")
_COUNTER = re.compile(r"\s*\d{1,9}\s*")


def format_clock(time_ms: int, separator: str = ".") -> str:
    """Hours, minutes, seconds and milliseconds.

    >>> format_clock(3_723_004, ",")
    '01:02:03,004'
    """
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{milliseconds:03}"


def parse_clock(text: str) -> int | None:
    """Milliseconds of a clock time with or without hours and fraction; None where it is none.

    >>> parse_clock("01:02:03,004"), parse_clock("2:03.5"), parse_clock("soon")
    (3723004, 123500, None)
    """
    match = _CLOCK_LINE.fullmatch(text.strip())
    return _clock_ms(match.groups()) if match else None


def _clock_ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def read_blocks(text: str, blank_ends: bool) -> Iterator[RawCue]:
    """A cue for each line of times, with the text that follows, markup and all.

    blank_ends: an empty line ends a cue's text (WebVTT). Otherwise only the next line of times
    does: many SRT files have empty lines inside a cue, or none between two.
    """
    lines = text.splitlines()
    found = [(at, match) for at, line in enumerate(lines) if (match := _TIMES_LINE.match(line))]
    ends = [*(at for at, _ in found), len(lines)][1:]
    for (at, match), end in zip(found, ends, strict=True):
        body = lines[at + 1 : end]
        if end < len(lines) and body and _COUNTER.fullmatch(body[-1]):
            body = body[:-1]
        parts = match.groups()
        yield RawCue(
            _clock_ms(parts[:4]), _clock_ms(parts[4:]), _block_text(body, blank_ends), at + 1
        )


def _block_text(lines: Iterable[str], blank_ends: bool) -> str:
    kept: list[str] = []
    for line in lines:
        if line.strip():
            kept.append(line.strip())
        elif blank_ends:
            break
    return "\n".join(kept)


def text_lines(cue: Cue) -> list[str]:
    """The cue's lines fit for a file of lines: none empty, no control characters in them."""
    lines = (plain_text(line).strip() for text in cue.lines for line in text.splitlines())
    return [line for line in lines if line]


def word_lines(cue: Cue) -> list[list[CueWord]]:
    """The cue's words by line, fit for the same file; none where `Cue.word_lines` has none."""
    rows = (plain_words(row) for row in cue.word_lines())
    return [row for row in rows if row]


def plain_words(words: Iterable[CueWord]) -> list[CueWord]:
    """The words that have text, without control characters."""
    plain = (replace(word, text=plain_text(word.text)) for word in words)
    return [word for word in plain if word.text.strip()]


def plain_text(text: str) -> str:
    """The text as one line, with what no file of lines can hold left out.

    >>> plain_text(" Bell\\x07 and\\ntab\\t.")
    ' Bell and tab .'
    """
    if text.isprintable():
        return text
    kept = " ".join(text.splitlines()).replace("\t", " ")
    return "".join(char for char in kept if _fits(char))


def _fits(char: str) -> bool:
    """No control character, lone surrogate or U+xxFFFE, U+xxFFFF, none of which XML takes."""
    return unicodedata.category(char) not in ("Cc", "Cs") and ord(char) & 0xFFFE != 0xFFFE
