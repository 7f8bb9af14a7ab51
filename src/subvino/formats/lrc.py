"""LRC lyrics (.lrc): a time and a line each; enhanced with the time of each word on demand."""

from __future__ import annotations

from subvino.formats.direction import mark_direction
from subvino.formats.format import Format, WriteOptions
from subvino.formats.timedtext import plain_words, text_lines
from subvino.linebreak import join_lines
from subvino.subtitles import Cue, Subtitles

_DEFAULTS = WriteOptions()


def write(subtitles: Subtitles, options: WriteOptions = _DEFAULTS) -> str:
    """A line for each cue, and an empty one where a cue goes out with none to follow."""
    rows: list[str] = []
    for index, cue in enumerate(subtitles.cues):
        rows.append(f"[{_clock(cue.start_ms)}]{_text(cue, options)}")
        following = subtitles.cues[index + 1 : index + 2]
        if not following or following[0].start_ms - cue.end_ms >= _CLEAR_MS:
            rows.append(f"[{_clock(cue.end_ms)}]")
    return "".join(f"{row}\n" for row in rows)


_CLEAR_MS = 1000
"""A shorter pause between two cues is not worth an empty line."""


def _text(cue: Cue, options: WriteOptions) -> str:
    words = plain_words(cue.words) if options.words else []
    if words:
        line = "".join(
            f"{' ' if word.text[:1].isspace() and number else ''}"
            f"<{_clock(word.start_ms)}>{word.text.strip()}"
            for number, word in enumerate(words)
        )
        return mark_direction(line, "".join(word.text for word in words))
    return mark_direction(join_lines(text_lines(cue)))


def _clock(time_ms: int) -> str:
    """Minutes, which go on beyond 99, seconds and hundredths."""
    minutes, rest = divmod((time_ms + 5) // 10, 6000)
    return f"{minutes:02}:{rest // 100:02}.{rest % 100:02}"


FORMAT = Format(name="lrc", suffix=".lrc", media_type="text/plain", write_subtitles=write)
