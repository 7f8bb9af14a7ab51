"""Media in, subtitle files out: the one place that builds objects.

Floor 4 of the road. `Transcriber` holds what is costly to make and serves any number of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypedDict

from typing_extensions import Unpack

from subvino.errors import DamagedMediaError, OptionError
from subvino.media import AudioStream, read_audio
from subvino.models import DEFAULT_WEIGHTS, Progress, cache_folder, prepare_model
from subvino.network import WeightsKind
from subvino.recognizer import DecodingOptions, Recognizer, WindowResult
from subvino.tokenizer import language_code
from subvino.transcribe import make_transcript, transcribe_audio
from subvino.transcript import Segment, Task, Transcript
from subvino.vad import VadOptions, load_detector
from subvino.windows import Detector, WindowOptions, hear_everything

DEFAULT_MODEL = "base"
AUTO_LANGUAGE = "auto"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a model is run on, and how.

    device: "AUTO", "CPU", "GPU", "GPU.1", "NPU", ...
    weights: how matrices are stored when a checkpoint is converted, "int8" or "fp16".
    threads: of the CPU; None takes the cores this process may use.
    vad: None finds no speech first and hears everything.
    """

    device: str = "AUTO"
    weights: WeightsKind = DEFAULT_WEIGHTS
    threads: int | None = None
    vad: VadOptions | None = field(default_factory=VadOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)


class Transcriber:
    """A loaded model and a speech detector, ready for any number of media files."""

    def __init__(
        self, recognizer: Recognizer, detector: Detector, windows: WindowOptions | None = None
    ) -> None:
        self.recognizer = recognizer
        self._detector = detector
        self._windows = windows

    def open(
        self,
        media: str | Path,
        options: DecodingOptions | None = None,
        audio_track: str | None = None,
    ) -> TranscriptStream:
        """The media's transcript as it is made.

        audio_track: its number among the audio tracks, from 0, or its language.

        Raises:
            InputError: the media can't be read, or has no such track.
            OptionError: the model does not know the language or the task.
        """
        options = options or DecodingOptions()
        self._check(options)
        return TranscriptStream(self, read_audio(media, audio_track), options)

    def results(self, audio: AudioStream, options: DecodingOptions) -> Iterator[WindowResult]:
        """A result for every window of speech in the audio."""
        return transcribe_audio(audio, self._detector, self.recognizer, options, self._windows)

    def _check(self, options: DecodingOptions) -> None:
        """Refuse what the model can't do before any work is done."""
        known = self.recognizer.languages
        if options.language is not None and options.language not in known:
            raise OptionError(
                f"model {self.recognizer.name} does not know the language {options.language!r}, "
                f"only: {', '.join(known)}; choose a multilingual model"
            )
        if options.task == "translate" and len(known) == 1:
            raise OptionError(
                f"model {self.recognizer.name} is English-only and can't translate; "
                "choose a multilingual model"
            )


class TranscriptStream:
    """A transcript in the making: iterate over it for the windows' results, in order.

    position: media time, seconds, up to which results have come.
    """

    def __init__(
        self, transcriber: Transcriber, audio: AudioStream, options: DecodingOptions
    ) -> None:
        self._transcriber, self._audio, self._options = transcriber, audio, options
        self._results: list[WindowResult] = []
        self.position = 0.0

    def __iter__(self) -> Iterator[WindowResult]:
        with self._audio:
            for result in self._transcriber.results(self._audio, self._options):
                self._results.append(result)
                self.position = result.window.end
                yield result

    @property
    def duration(self) -> float | None:
        """Of the media, seconds, as its container says; None where it does not."""
        return self._audio.info.duration

    @property
    def language(self) -> str | None:
        """Code of the language spoken; None until the first result."""
        return self._results[0].language if self._results else None

    @property
    def segments(self) -> Iterator[Segment]:
        """All segments that have come so far."""
        return (segment for result in self._results for segment in result.segments)

    def transcript(self) -> Transcript:
        """The transcript of the results that have come so far."""
        return make_transcript(
            self._results,
            duration=self.duration or self.position,
            options=self._options,
            media=str(self._audio.info.path),
            model=self._transcriber.recognizer.name,
        )

    def error(self) -> DamagedMediaError | None:
        """What could not be read of the media, known at the end; None if nothing was lost."""
        return self._audio.error()


def load_transcriber(
    model: str | Path = DEFAULT_MODEL,
    options: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Transcriber:
    """Find the model, convert it the first time, compile it for the device.

    model: a name, a hub id, or a folder; see `models.prepare_model`.

    Raises:
        ModelError: the model can't be found, read or trusted.
        DeviceError: no such device.
    """
    from subvino.devices import choose_device, compile_properties
    from subvino.whisper import load_recognizer

    options = options or EngineOptions()
    device = choose_device(options.device)
    folder = prepare_model(model, options.weights, progress)
    compiled = cache_folder() / "compiled"
    properties = compile_properties(device, threads=options.threads, cache_dir=compiled)
    recognizer = load_recognizer(folder, device, properties)
    detector = load_detector(options.vad) if options.vad else hear_everything
    return Transcriber(recognizer, detector, options.windows)


class Options(TypedDict, total=False):
    """The keywords of `transcribe` and `stream`; one that is left out has the tool's default.

    language: a code or an English name; "auto" detects it.
    task: "transcribe", or "translate" into English.
    audio_track: its number among the audio tracks, from 0, or its language.
    device, weights, threads, vad, windows: see `EngineOptions`.
    beam_size, best_of, temperatures, batch_size, ...: see `recognizer.DecodingOptions`.
    """

    language: str
    task: Task
    audio_track: str | None
    device: str
    weights: WeightsKind
    threads: int | None
    vad: VadOptions | None
    windows: WindowOptions
    beam_size: int
    best_of: int
    temperatures: tuple[float, ...]
    batch_size: int | None


def stream(
    media: str | Path, model: str | Path = DEFAULT_MODEL, **options: Unpack[Options]
) -> TranscriptStream:
    """The transcript of a media file as it is made, window by window.

    >>> for result in stream("talk.mp4"):  # doctest: +SKIP
    ...     for segment in result.segments:
    ...         print(segment.start, segment.text)

    Raises InputError, ModelError, DeviceError or OptionError before any work is done.
    """
    values: dict[str, Any] = dict(options)
    audio_track = values.pop("audio_track", None)
    engine = EngineOptions(**_taken(values, EngineOptions))
    decoding = decoding_options(**_taken(values, DecodingOptions))
    if values:
        raise OptionError(f"unknown option {next(iter(values))!r}")
    return load_transcriber(model, engine).open(media, decoding, audio_track)


def transcribe(
    media: str | Path, model: str | Path = DEFAULT_MODEL, **options: Unpack[Options]
) -> Transcript:
    """What is said in a media file, video or audio.

    >>> transcribe("talk.mp4", model="base").text  # doctest: +SKIP

    Raises what `stream` raises, and DamagedMediaError where part of the media can't be read; the
    error's `transcript` is that of the rest.
    """
    results = stream(media, model, **options)
    for _ in results:
        pass
    if (error := results.error()) is not None:
        error.transcript = results.transcript()
        raise error
    return results.transcript()


def decoding_options(language: str | None = None, **values: Any) -> DecodingOptions:
    """Decoding options with the language as users write it: a code, a name or "auto"."""
    wanted = None if language in (None, AUTO_LANGUAGE) else language_code(language)
    return DecodingOptions(language=wanted, **values)


def _taken(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """The values that are fields of the dataclass, taken out."""
    names = [item.name for item in fields(kind) if item.name in values]
    return {name: values.pop(name) for name in names}
