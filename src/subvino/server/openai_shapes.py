"""OpenAI's audio API as data: what its clients send and what they read.

Floor 5 of the road. Shapes as the `openai` Python package has them in `openai.types.audio`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from subvino.errors import OptionError
from subvino.server.job import JobOptions
from subvino.server.responses import first_complaint
from subvino.tokenizer import LANGUAGES
from subvino.transcript import Segment, Transcript

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]

MEDIA_TYPES: Mapping[str, str] = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
FRAMES_A_SECOND = 100
"""Of the log-mel, in which OpenAI's `seek` counts."""


class SpeechForm(BaseModel):
    """What both endpoints take."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    model: str = Field("", description="A name of /v1/models; whisper-1 is the server's default.")
    prompt: str = ""
    response_format: ResponseFormat = "json"
    temperature: float = Field(0.0, ge=0.0, le=1.0, allow_inf_nan=False)
    stream: bool = False
    hotwords: str = Field("", description="Names and jargon to expect, as Speaches has it.")


class TranslationForm(SpeechForm):
    """The form of /v1/audio/translations, but for its file."""

    def options(self) -> JobOptions:
        """The job that is asked for."""
        return _options(self, "translate", None)


class TranscriptionForm(SpeechForm):
    """The form of /v1/audio/transcriptions, but for its file."""

    language: str | None = None
    timestamp_granularities: list[Granularity] = Field(
        default_factory=list, alias="timestamp_granularities[]"
    )

    def options(self) -> JobOptions:
        """The job that is asked for."""
        return _options(self, "transcribe", self.language)


def _options(
    form: SpeechForm, task: Literal["transcribe", "translate"], language: str | None
) -> JobOptions:
    return JobOptions(
        model=form.model,
        task=task,
        language=language,
        prompt=form.prompt,
        hotwords=form.hotwords,
        temperature=form.temperature or None,
    )


class FormError(OptionError):
    """A field of a form that can't be used; `param` is its name."""

    def __init__(self, message: str, param: str | None) -> None:
        super().__init__(message)
        self.param = param


def read_form(
    kind: type[TranscriptionForm] | type[TranslationForm], fields: Mapping[str, tuple[str, ...]]
) -> TranscriptionForm | TranslationForm:
    """The form in the fields that came; empty ones count as left out. Raises FormError."""
    values: dict[str, Any] = {}
    for name, given in fields.items():
        filled = [value for value in given if value.strip()]
        if name.removesuffix("[]") == "timestamp_granularities":
            values["timestamp_granularities[]"] = filled
        elif filled:
            values[name] = filled[-1]
    if values.get("response_format") == "diarized_json":
        raise FormError("this server does not tell speakers apart", "response_format")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        param, message = first_complaint(error.errors())
        raise FormError(message, param and param.partition(".")[0]) from error


# --- answers


def plain_text(segments: Iterable[Segment]) -> str:
    """The text in a line, with spaces where its script has them."""
    return "".join(spoken_text(segment) for segment in segments).strip()


def spoken_text(segment: Segment) -> str:
    """A segment's text as it goes on from the one before; "" where a verdict took it out."""
    if segment.verdict is not None:
        return ""
    if segment.words:
        return "".join(word.text for word in segment.words)
    return f" {segment.text}"


def json_answer(transcript: Transcript) -> dict[str, Any]:
    """`response_format=json`."""
    usage = {"type": "duration", "seconds": round(transcript.duration, 3)}
    return {"text": plain_text(transcript.segments), "usage": usage}


def verbose_answer(transcript: Transcript, wanted: Iterable[Granularity]) -> dict[str, Any]:
    """`response_format=verbose_json`; wanted: of words and segments, segments if neither."""
    asked = set(wanted) or {"segment"}
    answer: dict[str, Any] = {
        "task": transcript.task,
        "language": language_name(transcript.text_language),
        "duration": round(transcript.duration, 3),
        **json_answer(transcript),
    }
    if "segment" in asked:
        answer["segments"] = segment_rows(transcript)
    if "word" in asked:
        answer["words"] = word_rows(transcript)
    return answer


def language_name(code: str) -> str:
    """As Whisper's own list has it: "german"; a code that it does not know stays."""
    return LANGUAGES.get(code, code).lower()


def segment_rows(transcript: Transcript) -> list[dict[str, Any]]:
    """The segments; `tokens` are not kept, so that the list is empty."""
    return [
        {
            "id": number,
            "seek": round(segment.start * FRAMES_A_SECOND),
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": spoken_text(segment),
            "tokens": [],
            "temperature": segment.temperature,
            "avg_logprob": round(segment.avg_logprob, 4),
            "compression_ratio": round(segment.compression_ratio, 4),
            "no_speech_prob": round(segment.no_speech_prob, 4),
        }
        for number, segment in enumerate(transcript.spoken)
    ]


def word_rows(transcript: Transcript) -> list[dict[str, Any]]:
    """The words of all segments."""
    return [
        {"word": word.text.strip(), "start": round(word.start, 3), "end": round(word.end, 3)}
        for segment in transcript.spoken
        for word in segment.words or ()
    ]
