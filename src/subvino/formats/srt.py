"""SubRip (.srt). It has no specification: written as FFmpeg and players agree on it.

SubRip has no escapes. Where a text would be taken for markup or for a line of times, a space is
put into it, which every player shows as such and none takes for markup.
"""

from __future__ import annotations

import re
from dataclasses import replace

from subvino.errors import SubtitleFileError
from subvino.formats.format import Format, Reading, WriteOptions
from subvino.formats.timedtext import format_clock, read_blocks, text_lines
from subvino.subtitles import Subtitles

# Bounded and without the opening character inside, so that no text takes quadratic time.
_TAG = re.compile(r"<(?=/?(?:b|i|u|s|font|c|v|span|ruby|rt)\b[^<>]{0,500}>)", re.IGNORECASE)
_WHOLE_TAG = re.compile(_TAG.pattern + r"[^<>]{0,500}>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{(?=\\|[A-Za-z]:)")
_WHOLE_OVERRIDE = re.compile(_OVERRIDE.pattern + r"[^{}]{0,500}\}")


def write(subtitles: Subtitles, options: WriteOptions | None = None) -> str:
    """Counter, times, text and an empty line for each cue."""
    del options
    return "\n".join(
        f"{number}\n{format_clock(cue.start_ms, ',')} --> {format_clock(cue.end_ms, ',')}\n"
        + "".join(f"{_escape(line)}\n" for line in text_lines(cue))
        for number, cue in enumerate(subtitles.cues, start=1)
    )


def _escape(line: str) -> str:
    return _OVERRIDE.sub("{ ", _TAG.sub("< ", line)).replace("-->", "-- >")


def read(text: str, path: str = "<srt>") -> Reading:
    """Cues without markup; counters, empty lines, hours and the kind of comma may be missing."""
    cues = tuple(read_blocks(text, blank_ends=False))
    if not cues and text.strip():
        raise SubtitleFileError(f"{path}: no line of times (00:00:01,000 --> 00:00:02,000)", path)
    return Reading(tuple(replace(cue, text=_strip_markup(cue.text)) for cue in cues))


def _strip_markup(text: str) -> str:
    return _WHOLE_OVERRIDE.sub("", _WHOLE_TAG.sub("", text)).strip()


FORMAT = Format(
    name="srt",
    suffix=".srt",
    media_type="application/x-subrip",
    write_subtitles=write,
    read=read,
)
