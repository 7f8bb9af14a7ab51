"""What was said and when: words, segments, the transcript and its JSON form.

Floor 0 of the road. All times are seconds in media time. A saved transcript lets cues be cut
again without the model: `Transcript.to_json` and `Transcript.from_json` are inverse.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from subvino.errors import SubtitleFileError

Task = Literal["transcribe", "translate"]

ChineseScript = Literal["simplified", "traditional", "as-heard"]
"""What Chinese is written in; as-heard: whatever the model writes."""

_GREATEST = 1e9
"""No number in a transcript is greater: 31 years in seconds."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is written, with the punctuation that belongs to it.

    text: begins with a space where the script separates words by spaces, so that a segment's
        text is its words joined with nothing between.
    start, end: seconds, `start <= end`.
    probability: the model's, in [0, 1].
    """

    text: str
    start: float
    end: float
    probability: float

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(
                f"word {self.text!r} ends ({self.end}) before it starts ({self.start})"
            )


@dataclass(frozen=True, slots=True)
class Segment:
    """A phrase, as the model parts them.

    text: without white space at its ends.
    words: None where no word times were asked for.
    avg_logprob: mean log-probability of the tokens, <= 0.
    no_speech_prob: the model's belief that the window has no speech, in [0, 1].
    compression_ratio: bytes of the window's text over its zlib-compressed bytes; high means loops.
    temperature: of the sampling that gave the text; 0 is greedy or beam search.
    language: code of the language spoken, where it was decided per segment.
    verdict: why the text was taken out of the subtitles; None where it stands.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] | None = None
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    compression_ratio: float = 1.0
    temperature: float = 0.0
    language: str | None = None
    verdict: str | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"segment ends ({self.end}) before it starts ({self.start})")


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said in one media file.

    media: the file or URL it came from.
    duration: of the media, seconds.
    language: code of the language spoken, as Whisper has them ("en", "de", ...).
    language_probability: in [0, 1]; 1 where the user gave the language.
    """

    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    duration: float
    media: str = ""
    task: Task = "transcribe"
    model: str = ""

    @property
    def text(self) -> str:
        """The segments' texts, a line each, without those that a verdict took out."""
        return "\n".join(segment.text for segment in self.spoken)

    @property
    def spoken(self) -> tuple[Segment, ...]:
        """The segments that no verdict took out."""
        return tuple(segment for segment in self.segments if segment.verdict is None)

    def without_verdicts(self) -> Transcript:
        """The transcript with doubtful text taken as said."""
        kept = tuple(replace(segment, verdict=None) for segment in self.segments)
        return replace(self, segments=kept)

    @property
    def text_language(self) -> str:
        """Code of the language the text is in: English where it was translated."""
        return "en" if self.task == "translate" else self.language

    def to_json(self) -> str:
        """The documented JSON form, indented, ending in a line break."""
        return json.dumps(_transcript_row(self), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, path: str = "<json>") -> Transcript:
        """The transcript in a JSON text; raises SubtitleFileError where the text is not one."""
        try:
            return _read_transcript(_rows([json.loads(text)])[0])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise SubtitleFileError(
                f"{path}: not a transcript as subvino writes it ({_reason(error)})", path
            ) from error


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _transcript_row(transcript: Transcript) -> dict[str, Any]:
    return {
        "media": transcript.media,
        "duration": _seconds(transcript.duration),
        "language": transcript.language,
        "language_probability": round(transcript.language_probability, 4),
        "task": transcript.task,
        "model": transcript.model,
        "segments": [_segment_row(segment) for segment in transcript.segments],
    }


def _segment_row(segment: Segment) -> dict[str, Any]:
    row: dict[str, Any] = {
        "start": _seconds(segment.start),
        "end": _seconds(segment.end),
        "text": segment.text,
    }
    if segment.words is not None:
        row["words"] = [_word_row(word) for word in segment.words]
    row["avg_logprob"] = round(segment.avg_logprob, 4)
    row["no_speech_prob"] = round(segment.no_speech_prob, 4)
    row["compression_ratio"] = round(segment.compression_ratio, 4)
    row["temperature"] = segment.temperature
    if segment.language is not None:
        row["language"] = segment.language
    if segment.verdict is not None:
        row["verdict"] = segment.verdict
    return row


def _word_row(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": _seconds(word.start),
        "end": _seconds(word.end),
        "probability": round(word.probability, 4),
    }


def _seconds(value: float) -> float:
    """Whole milliseconds, which is what cues are made of."""
    return round(value, 3)


def _read_transcript(row: Mapping[str, Any]) -> Transcript:
    task = row.get("task", "transcribe")
    if task not in ("transcribe", "translate"):
        raise ValueError(f"task {task!r} is neither transcribe nor translate")
    return Transcript(
        segments=tuple(_read_segment(item) for item in _rows(row["segments"])),
        language=str(row["language"]),
        language_probability=_number(row["language_probability"]),
        duration=_number(row["duration"]),
        media=str(row.get("media", "")),
        task=task,
        model=str(row.get("model", "")),
    )


def _read_segment(row: Mapping[str, Any]) -> Segment:
    words = row.get("words")
    language, verdict = row.get("language"), row.get("verdict")
    return Segment(
        text=str(row["text"]),
        start=_number(row["start"]),
        end=_number(row["end"]),
        words=None if words is None else tuple(_read_word(item) for item in _rows(words)),
        avg_logprob=_number(row.get("avg_logprob", 0.0)),
        no_speech_prob=_number(row.get("no_speech_prob", 0.0)),
        compression_ratio=_number(row.get("compression_ratio", 1.0)),
        temperature=_number(row.get("temperature", 0.0)),
        language=None if language is None else str(language),
        verdict=None if verdict is None else str(verdict),
    )


def _read_word(row: Mapping[str, Any]) -> Word:
    return Word(
        str(row["text"]), _number(row["start"]), _number(row["end"]), _number(row["probability"])
    )


def _rows(value: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("an object, or a list of objects, was expected")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    if abs(value) > _GREATEST:
        raise ValueError(f"{value!r} is too great to be a time or a score")
    return float(value)
