"""The transcript as JSON (.json): the one format from which cues can be cut again."""

from __future__ import annotations

from subvino.formats.format import Format, Reading, WriteOptions
from subvino.subtitles import RawCue
from subvino.transcript import Transcript


def write_transcript(transcript: Transcript, options: WriteOptions | None = None) -> str:
    """As `Transcript.to_json`."""
    del options
    return transcript.to_json()


def read(text: str, path: str = "<json>") -> Reading:
    """A cue for each segment; `Transcript.from_json` gives all there is."""
    transcript = Transcript.from_json(text, path)
    cues = (
        RawCue(round(segment.start * 1000), round(segment.end * 1000), segment.text)
        for segment in transcript.spoken
    )
    return Reading(tuple(cues), transcript.text_language)


FORMAT = Format(
    name="json",
    suffix=".json",
    media_type="application/json",
    write_transcript=write_transcript,
    read=read,
)
