"""SubRip (.srt). It has no specification: written as FFmpeg and players agree on it.

SubRip has no escapes. Where a text would be taken for markup or for a line of times, an invisible
word joiner is put into it (as FFmpeg does with backslashes in ASS), and taken out in reading.
"""

from __future__ import annotations

import re
from dataclasses import replace

from subvino.errors import SubtitleFileError
from subvino.formats.direction import mark_direction, without_marks
from subvino.formats.format import Format, Reading, WriteOptions
from subvino.formats.timedtext import format_clock, read_blocks, text_lines
from subvino.subtitles import Subtitles

_WORD_JOINER = "\u2060"
# Bounded and without the opening character inside, so that no text takes quadratic time.
_TAG_AHEAD = r"(?=/?(?:b|i|u|s|font|c|v|span|ruby|rt)\b[^<>]{0,500}>)"
_OVERRIDE_AHEAD = r"(?=\\|[A-Za-z]:)"
_TAG = re.compile(rf"<{_TAG_AHEAD}[^<>]{{0,501}}>", re.IGNORECASE)
_OVERRIDE = re.compile(rf"\{{{_OVERRIDE_AHEAD}[^{{}}]{{0,500}}\}}")
_UNSAFE = re.compile(
    rf"(?:<(?=\s*/?[a-z][^<>]{{0,500}}>)|\{{{_OVERRIDE_AHEAD}|--(?=>))", re.IGNORECASE
)
_JOINED = re.compile(rf"([<{{]|--){_WORD_JOINER}")


def write(subtitles: Subtitles, options: WriteOptions | None = None) -> str:
    """Counter, times, text and an empty line for each cue."""
    del options
    return "\n".join(
        f"{number}\n{format_clock(cue.start_ms, ',')} --> {format_clock(cue.end_ms, ',')}\n"
        + "".join(f"{mark_direction(_escape(line))}\n" for line in text_lines(cue))
        for number, cue in enumerate(subtitles.cues, start=1)
    )


def _escape(line: str) -> str:
    return _UNSAFE.sub(lambda match: match[0] + _WORD_JOINER, line)


def read(text: str, path: str = "<srt>") -> Reading:
    """Cues without markup; counters, empty lines, hours and the kind of comma may be missing."""
    cues = tuple(read_blocks(text, blank_ends=False))
    if not cues and text.strip():
        raise SubtitleFileError(f"{path}: no line of times (00:00:01,000 --> 00:00:02,000)", path)
    return Reading(tuple(replace(cue, text=_strip_markup(cue.text)) for cue in cues))


def _strip_markup(text: str) -> str:
    return without_marks(_JOINED.sub(r"\1", _OVERRIDE.sub("", _TAG.sub("", text))).strip())


FORMAT = Format(
    name="srt",
    suffix=".srt",
    media_type="application/x-subrip",
    write_subtitles=write,
    read=read,
)
