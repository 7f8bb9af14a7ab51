"""WebVTT (.vtt), as in the W3C's "WebVTT: The Web Video Text Tracks Format"."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

from subvino.errors import SubtitleFileError
from subvino.formats.direction import mark_direction, without_marks
from subvino.formats.format import Format, Reading, WriteOptions
from subvino.formats.timedtext import format_clock, read_blocks, text_lines, word_lines
from subvino.subtitles import Cue, CueWord, Subtitles

_TAG = re.compile(r"<[^<>]{0,1000}>")
_DEFAULTS = WriteOptions()


def write(subtitles: Subtitles, options: WriteOptions = _DEFAULTS) -> str:
    """The file; with `options.words`, a time tag before each word that comes in later."""
    blocks = (_block(cue, options) for cue in subtitles.cues)
    return "WEBVTT\n" + "".join(f"\n{block}\n" for block in blocks)


def _block(cue: Cue, options: WriteOptions) -> str:
    times = f"{format_clock(cue.start_ms)} --> {format_clock(cue.end_ms)}"
    lines = list(_tagged_lines(cue)) if options.words else []
    lines = lines or [mark_direction(_escape(line), line) for line in text_lines(cue)]
    return "\n".join([f"{times} {options.vtt_settings}".rstrip(), *lines])


def _tagged_lines(cue: Cue) -> Iterator[str]:
    shown_ms = cue.start_ms
    for row in word_lines(cue):
        line = ""
        for word in row:
            tag, shown_ms = _time_tag(word, shown_ms, cue.end_ms)
            space = " " if line and word.text[:1].isspace() else ""
            line += space + tag + _escape(word.text.strip())
        yield mark_direction(line, "".join(word.text for word in row))


def _time_tag(word: CueWord, shown_ms: int, end_ms: int) -> tuple[str, int]:
    """A tag lies after the one before and inside its cue, or players drop it."""
    if not shown_ms < word.start_ms < end_ms:
        return "", shown_ms
    return f"<{format_clock(word.start_ms)}>", word.start_ms


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def read(text: str, path: str = "<vtt>") -> Reading:
    """Cues without tags, settings, notes and styles."""
    cues = tuple(read_blocks(text, blank_ends=True))
    if not cues and not text.lstrip("\ufeff").startswith("WEBVTT"):
        raise SubtitleFileError(f"{path}: neither WEBVTT at its beginning nor a cue in it", path)
    return Reading(tuple(replace(cue, text=_strip_tags(cue.text)) for cue in cues))


def _strip_tags(text: str) -> str:
    return without_marks(html.unescape(_TAG.sub("", text)).strip())


FORMAT = Format(name="vtt", suffix=".vtt", media_type="text/vtt", write_subtitles=write, read=read)
