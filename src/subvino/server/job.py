"""A job: what was asked for, and how far it is.

Floor 5 of the road. The types that flow between the store, the workers and the interfaces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from subvino.chinese import script_of_tag
from subvino.clip import parse_clips
from subvino.errors import OptionError
from subvino.journal import digest_code
from subvino.network import WeightsKind
from subvino.pipeline import AUTO_LANGUAGE, EngineOptions, decoding_options
from subvino.recognizer import DecodingOptions
from subvino.tokenizer import language_code
from subvino.transcript import ChineseScript
from subvino.vad import VadOptions

JobTask = Literal["transcribe", "translate", "detect-language"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
FINISHED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})

MAX_TEXT = 10_000
"""Characters of a prompt or of hotwords: the model sees 224 tokens of them anyway."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job's media is heard; everything that its transcript depends on, and nothing else.

    model: a name that the server offers; "" is its default.
    language: a code or an English name; None detects it.
    weights: None is the tool's default.
    audio_track: its number among the audio tracks, from 0, or its language.
    chinese: the script of Chinese; None is what the language asks for, as zh-TW does.
    clip: what of the media is heard, as "0:10-1:30,2:00-"; "" is all.
    temperature: None tries several, beginning with 0, as the tool does by default.
    vad: whether speech is found first, so that nothing is made up for the rest.
    """

    model: str = ""
    task: JobTask = "transcribe"
    language: str | None = None
    weights: WeightsKind | None = None
    audio_track: str | None = None
    clip: str = ""
    prompt: str = ""
    hotwords: str = ""
    chinese: ChineseScript | None = None
    temperature: float | None = None
    beam_size: int | None = None
    vad: bool = True
    multilingual: bool = False

    def __post_init__(self) -> None:
        """Raises OptionError for what no job can be done with."""
        _check_choice("task", self.task, get_args(JobTask))
        _check_choice("weights", self.weights, (None, *get_args(WeightsKind)))
        for name in ("prompt", "hotwords"):
            if len(getattr(self, name)) > MAX_TEXT:
                raise OptionError(f"{name} is longer than {MAX_TEXT} characters; shorten it")
        _check_choice("chinese", self.chinese, (None, *get_args(ChineseScript)))
        if self.chinese is None and self.language is not None:
            object.__setattr__(self, "chinese", script_of_tag(self.language))
        object.__setattr__(self, "language", _known_language(self.language))
        if self.clip:
            parse_clips(self.clip)
        if self.multilingual and self.language is not None:
            raise OptionError("multilingual finds the languages out; leave language out")
        self.decoding()

    def decoding(self) -> DecodingOptions:
        """How windows become text."""
        values: dict[str, Any] = {}
        if self.temperature:
            values["temperatures"] = (self.temperature,)
        if self.chinese is not None:
            values["chinese"] = self.chinese
        if self.beam_size is not None:
            values["beam_size"] = self.beam_size
        return decoding_options(
            self.language,
            task="translate" if self.task == "translate" else "transcribe",
            prompt=self.prompt,
            hotwords=self.hotwords,
            multilingual=self.multilingual,
            **values,
        )

    def engine(self, device: str, threads: int | None) -> EngineOptions:
        """How the model is run."""
        vad = VadOptions() if self.vad else None
        options = EngineOptions(device=device, threads=threads, vad=vad)
        return options if self.weights is None else replace(options, weights=self.weights)

    def to_json(self) -> str:
        """One form for the same options, so that it can be part of a key."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> JobOptions:
        """The options in a text that `to_json` made; fields of other versions are left out."""
        row: Mapping[str, Any] = json.loads(text)
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})


def _check_choice(name: str, value: str | None, known: tuple[str | None, ...]) -> None:
    if value not in known:
        told = ", ".join(choice for choice in known if choice is not None)
        raise OptionError(f"{name} {str(value)[:40]!r} is not known; use one of: {told}")


def _known_language(spelling: str | None) -> str | None:
    """Whisper's code; None for what asks for detection. Raises OptionError."""
    if not spelling or not spelling.strip() or spelling.strip().lower() == AUTO_LANGUAGE:
        return None
    return language_code(spelling)


def job_key(digest: str, options: JobOptions) -> str:
    """The same for jobs that give the same transcript: by media, options and subvino's own code."""
    text = f"{digest_code()} {digest} {options.to_json()}"
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was when it was asked for.

    name: of the media, as the client calls it; never a path here.
    source: who asked: "page", "jobs", "openai", "asr".
    created, started, finished: seconds since 1970.
    position: media time, seconds, up to which it was heard; duration: of the media.
    eta: seconds until it will be done; None while that can't be told.
    step: what is being done before there is progress to tell, such as "load the model".
    error_kind, error: class and message of what went wrong. warning: what of the media was lost.
    media: name of its file in the server's folder, while that is kept.
    """

    id: str
    key: str
    state: JobState
    name: str
    source: str
    options: JobOptions
    created: float
    started: float | None = None
    finished: float | None = None
    position: float = 0.0
    duration: float | None = None
    eta: float | None = None
    step: str = ""
    error_kind: str | None = None
    error: str | None = None
    warning: str | None = None
    media: str | None = None
    url: str | None = None
    attempts: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINISHED

    @property
    def progress(self) -> float | None:
        """How much is done, 0 to 1; None while the duration is not known."""
        if self.state == "done":
            return 1.0
        return min(self.position / self.duration, 1.0) if self.duration else None
