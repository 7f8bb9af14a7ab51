"""Whisper on OpenVINO: the recognizer that ships.

Floor 2 of the road. `engine` is the compiled network, `batch` its memory, `hypothesis` the rules,
`decoding` the loop, `quality` the gates, `segments` what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from subvino.audio import WindowSound
from subvino.network import ModelFolder
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.tokenizer import Tokenizer
from subvino.transcript import Segment
from subvino.windows import to_media_time

if TYPE_CHECKING:
    from subvino.whisper.decoding import DecodedWindow
    from subvino.whisper.engine import Properties


class WhisperRecognizer:
    """A converted Whisper model on one device; see `recognizer.Recognizer`."""

    def __init__(self, folder: ModelFolder, device: str, properties: Properties) -> None:
        from subvino.graphs.head import Vocabulary
        from subvino.whisper.engine import Engine

        settings, n_vocab = folder.settings, folder.dimensions.n_vocab
        self._name = folder.name
        self._tokenizer = Tokenizer(folder.tokenizer)
        vocabulary = Vocabulary(
            n_vocab=n_vocab,
            eot=self._tokenizer.eot,
            timestamp_begin=self._tokenizer.timestamp_begin,
            suppressed=settings.suppress_tokens or self._tokenizer.non_speech_tokens(),
            blank=settings.begin_suppress_tokens or self._blank_tokens(),
        )
        self._engine = Engine(folder, vocabulary, device, properties)

    @property
    def name(self) -> str:
        """The model's name, as the transcript reports it."""
        return self._name

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages the model knows; ("en",) for an English-only one."""
        return self._tokenizer.languages

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        """Language code → probability over all the windows, likeliest first; they sum to 1."""
        from subvino.whisper.decoding import detect_language

        if not self._tokenizer.is_multilingual:
            return {"en": 1.0}
        return detect_language(self._engine, self._tokenizer, sounds)

    def recognize(
        self, sounds: Iterable[WindowSound], options: DecodingOptions
    ) -> Iterator[WindowResult]:
        """A result for every window, in order; windows are taken as the batch has room."""
        from subvino.whisper.decoding import Decoder

        decoder = Decoder(self._engine, self._tokenizer, options)
        for decoded in decoder.decode(sounds):
            yield self._result(decoded, options)

    def _result(self, decoded: DecodedWindow, options: DecodingOptions) -> WindowResult:
        silent = decoded.attempt.is_silence(options)
        segments = () if silent else tuple(self._segments(decoded))
        return WindowResult(
            decoded.sound.window, segments, decoded.language, decoded.language_probability
        )

    def _segments(self, decoded: DecodedWindow) -> Iterator[Segment]:
        from subvino.whisper.segments import split_at_timestamps

        attempt, window = decoded.attempt, decoded.sound.window
        hypothesis = attempt.hypothesis
        for piece in split_at_timestamps(
            hypothesis.tokens,
            hypothesis.logprobs,
            self._tokenizer.timestamp_begin,
            window.duration,
        ):
            text = self._tokenizer.decode(piece.tokens).strip()
            if text:
                yield Segment(
                    text=text,
                    start=to_media_time(window, piece.start),
                    end=to_media_time(window, piece.end),
                    avg_logprob=sum(piece.logprobs) / len(piece.logprobs),
                    no_speech_prob=attempt.no_speech_prob,
                    compression_ratio=attempt.compression_ratio,
                    temperature=attempt.temperature,
                )

    def _blank_tokens(self) -> tuple[int, ...]:
        """A space or nothing at all (`SuppressBlank` in openai/whisper)."""
        return (*self._tokenizer.encode(" "), self._tokenizer.eot)


def load_recognizer(folder: ModelFolder, device: str, properties: Properties) -> WhisperRecognizer:
    """Compile a model for a device; takes a second or two, less when compiled before.

    properties: OpenVINO's, see `devices.compile_properties`.
    """
    return WhisperRecognizer(folder, device, properties)
