"""Plain text (.txt): what was said, a line for each phrase, no times."""

from __future__ import annotations

from subvino.formats.format import Format, WriteOptions
from subvino.formats.timedtext import plain_text, text_lines
from subvino.linebreak import join_lines
from subvino.subtitles import Subtitles
from subvino.transcript import Transcript


def write(subtitles: Subtitles, options: WriteOptions | None = None) -> str:
    """A line for each cue."""
    del options
    return "".join(f"{join_lines(text_lines(cue))}\n" for cue in subtitles.cues)


def write_transcript(transcript: Transcript, options: WriteOptions | None = None) -> str:
    """A line for each segment that has text."""
    del options
    lines = (plain_text(" ".join(segment.text.split())) for segment in transcript.spoken)
    return "".join(f"{line}\n" for line in lines if line)


FORMAT = Format(
    name="txt",
    suffix=".txt",
    media_type="text/plain",
    write_subtitles=write,
    write_transcript=write_transcript,
)
