"""Whisper on OpenVINO: the recognizer that ships.

Floor 2 of the road. `engine` is the compiled network, `batch` its memory, `hypothesis` the rules,
`decoding` the loop, `quality` the gates, `segments` what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from subvino.audio import WindowSound
from subvino.network import ModelFolder
from subvino.recognizer import Carry, DecodingOptions, FileWindows, WindowResult
from subvino.tokenizer import Tokenizer
from subvino.transcript import Word

if TYPE_CHECKING:
    from subvino.graphs.head import Vocabulary
    from subvino.whisper.compiled import Properties
    from subvino.whisper.recording import DecodedWindow
    from subvino.whisper.slots import SlotEngine

    EngineOpener = Callable[[ModelFolder, Callable[[], Vocabulary], str, Properties], SlotEngine]


class WhisperRecognizer:
    """A converted Whisper model on one device; see `recognizer.Recognizer`.

    tokenizer, engine: its parts, for measuring them one by one.
    """

    def __init__(
        self,
        folder: ModelFolder,
        device: str,
        properties: Properties,
        open_with: EngineOpener | None = None,
    ) -> None:
        """Compile the model; open_with: what runs its graphs instead of `open_engine`."""
        self._folder = folder
        self.engine = (open_with or open_engine)(folder, self._vocabulary, device, properties)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Of the model; read when it is first needed, while the engine loads its graphs."""
        return Tokenizer(self._folder.tokenizer)

    def _vocabulary(self) -> Vocabulary:
        from subvino.graphs.head import Vocabulary

        suppressed = self._folder.settings.suppress_tokens
        return Vocabulary(
            n_vocab=self._folder.dimensions.n_vocab,
            eot=self.tokenizer.eot,
            timestamp_begin=self.tokenizer.timestamp_begin,
            suppressed=suppressed or self.tokenizer.non_speech_tokens(),
        )

    @property
    def name(self) -> str:
        """The model's name, as the transcript reports it."""
        return self._folder.name

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages the model knows; ("en",) for an English-only one."""
        return self.tokenizer.languages

    @property
    def batch_size(self) -> int:
        """Windows decoded at once where the options leave it open."""
        return self.engine.default_batch_size

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        """Language code → probability over all the windows, likeliest first; they sum to 1."""
        from subvino.whisper.language import detect_language

        if not self.tokenizer.is_multilingual:
            return {"en": 1.0}
        return detect_language(self.engine, self.tokenizer, sounds)

    def recognize(
        self,
        sounds: Iterable[WindowSound],
        options: DecodingOptions,
        after: Carry | None = None,
    ) -> Iterator[WindowResult]:
        """A result for every window, in order; windows are taken as the batch has room."""
        for _, result in self.recognize_many([FileWindows(sounds, after)], options):
            if result is not None:
                yield result

    def recognize_many(
        self, files: Iterable[FileWindows], options: DecodingOptions
    ) -> Iterator[tuple[int, WindowResult | None]]:
        """The number of a file and a window's result, None at its end; see `Recognizer`."""
        from subvino.whisper.decoding import Decoder
        from subvino.whisper.suppress import suppressed_tokens

        self.engine.suppress(suppressed_tokens(self.tokenizer, options.suppress))
        decoder = Decoder(self.engine, self.tokenizer, options)
        for number, decoded in decoder.decode_many(files):
            yield number, None if decoded is None else self._result(decoded, options)

    def align(self, sound: WindowSound, words: Sequence[str], language: str) -> list[Word]:
        """Words that are known to be said in the window, with their times in the media.

        words: as `transcript.Word` has them. Raises OptionError where the model can't tell.
        """
        from subvino.whisper.forced import align_words

        return align_words(self.engine, self.tokenizer, sound, words, language)

    def _result(self, decoded: DecodedWindow, options: DecodingOptions) -> WindowResult:
        from subvino.whisper.segments import make_segments

        first = decoded.parts[0]
        return WindowResult(
            decoded.sound.window,
            make_segments(self.tokenizer, decoded, options),
            first.language,
            first.language_probability,
            decoded.carry,
        )


def open_engine(
    folder: ModelFolder, vocabulary: Callable[[], Vocabulary], device: str, properties: Properties
) -> SlotEngine:
    """The engine that runs the folder's kind of graphs, compiled.

    vocabulary: reads it; called while graphs are loaded.
    """
    if folder.layout == "optimum":
        from subvino.whisper.optimum import OptimumEngine

        return OptimumEngine(folder, vocabulary(), device, properties)
    from subvino.whisper.engine import Engine

    return Engine(folder, vocabulary, device, properties)


def load_recognizer(folder: ModelFolder, device: str, properties: Properties) -> WhisperRecognizer:
    """Compile a model for a device; takes a second or two, less when compiled before.

    properties: OpenVINO's, see `devices.compile_properties`.
    """
    return WhisperRecognizer(folder, device, properties)
