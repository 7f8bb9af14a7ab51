"""Tab-separated values (.tsv) with the columns of OpenAI's whisper: milliseconds and text."""

from __future__ import annotations

from subvino.formats.format import Format, WriteOptions
from subvino.formats.timedtext import text_lines
from subvino.linebreak import join_lines
from subvino.subtitles import Subtitles


def write(subtitles: Subtitles, options: WriteOptions | None = None) -> str:
    """A header, then a row for each cue; its lines are joined."""
    del options
    return "start\tend\ttext\n" + "".join(
        f"{cue.start_ms}\t{cue.end_ms}\t{join_lines(text_lines(cue))}\n" for cue in subtitles.cues
    )


FORMAT = Format(
    name="tsv", suffix=".tsv", media_type="text/tab-separated-values", write_subtitles=write
)
