"""Other engines on the same weights, to be compared with: faster-whisper and openvino-genai.

Both come with the extra `peers`; what they give becomes our `Transcript`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

import numpy as np

from subvino.audio import SAMPLE_RATE, Samples
from subvino.devices import count_usable_cores
from subvino.errors import CheckpointError, MissingExtraError, OptionError, OutputError
from subvino.evaluate.engines import Engine
from subvino.media import read_audio
from subvino.models import Model, cache_folder, find_model
from subvino.models.installed import copy_installed, is_installed
from subvino.transcript import Segment, Transcript, Word

PeerName = Literal["faster-whisper", "openvino-genai"]


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """threads: of the CPU; None takes the cores this process may use.
    beam_size: 5 is faster-whisper's default; openvino-genai decodes greedily whatever this says.
    batch_size: None decodes window after window; faster-whisper only.
    """

    threads: int | None = None
    beam_size: int = 5
    batch_size: int | None = None


def load_peer(peer: PeerName, model: str, options: PeerOptions | None = None) -> Engine:
    """Another engine, loaded.

    model: for faster-whisper a model of the catalogue whose weights are installed as packages, or
        a folder in CTranslate2's layout; for openvino-genai a folder that Optimum-Intel exported.

    Raises:
        MissingExtraError: the engine is not installed.
        OptionError, CheckpointError: it can't run the model.
    """
    options = options or PeerOptions()
    if peer == "faster-whisper":
        return FasterWhisper(ctranslate2_folder(model), options)
    return OpenVinoGenAI(Path(model), options)


class FasterWhisper:
    """faster-whisper with int8 weights and its own defaults otherwise."""

    def __init__(self, folder: Path, options: PeerOptions) -> None:
        try:
            from faster_whisper import BatchedInferencePipeline, WhisperModel
        except ImportError as error:
            raise MissingExtraError("peers", "comparing with faster-whisper") from error
        model = WhisperModel(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=options.threads or count_usable_cores(),
            local_files_only=True,
        )
        self._keywords: dict[str, Any] = {"beam_size": options.beam_size}
        self._model = model
        if options.batch_size is not None:
            self._model = BatchedInferencePipeline(model)
            self._keywords["batch_size"] = options.batch_size
        self._options = options

    @property
    def name(self) -> str:
        """With what sets it apart from its other ways of decoding."""
        batch = self._options.batch_size
        mode = "sequential" if batch is None else f"batch {batch}"
        return f"faster-whisper {mode} beam {self._options.beam_size}"

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        """What is said in the file."""
        segments, info = self._model.transcribe(
            str(path), language=language, word_timestamps=words, **self._keywords
        )
        return from_faster_whisper(segments, info)


class OpenVinoGenAI:
    """openvino-genai's WhisperPipeline: greedy, with times for segments."""

    name = "openvino-genai"

    def __init__(self, folder: Path, options: PeerOptions) -> None:
        try:
            from openvino_genai import WhisperPipeline
        except ImportError as error:
            raise MissingExtraError("peers", "comparing with openvino-genai") from error
        if not (folder / "openvino_encoder_model.xml").is_file():
            raise CheckpointError(
                f"{folder}: no openvino_encoder_model.xml in it; give a folder that "
                "Optimum-Intel exported",
                folder,
            )
        threads = options.threads or count_usable_cores()
        # Word times have to be asked for here too: they need another form of the attention.
        self._pipeline = WhisperPipeline(
            str(folder), "CPU", word_timestamps=True, INFERENCE_NUM_THREADS=threads
        )

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        """What is said in the file."""
        samples = _read_samples(path)
        keywords: dict[str, Any] = {"return_timestamps": True, "word_timestamps": words}
        if language is not None:
            keywords["language"] = f"<|{language}|>"
        result = self._pipeline.generate(samples, **keywords)
        return from_openvino_genai(result, len(samples) / SAMPLE_RATE, words=words)


def from_faster_whisper(segments: Iterable[Any], info: Any) -> Transcript:
    """A transcript of faster-whisper's `Segment`s and `TranscriptionInfo`."""
    return Transcript(
        segments=tuple(
            Segment(
                text=segment.text.strip(),
                start=segment.start,
                end=max(segment.start, segment.end),
                words=_words(
                    (word.word, word.start, word.end, word.probability) for word in segment.words
                )
                if segment.words is not None
                else None,
                avg_logprob=segment.avg_logprob,
                no_speech_prob=segment.no_speech_prob,
                compression_ratio=segment.compression_ratio,
                temperature=segment.temperature or 0.0,
            )
            for segment in segments
        ),
        language=info.language,
        language_probability=info.language_probability,
        duration=info.duration,
    )


def from_openvino_genai(result: Any, duration: float, *, words: bool) -> Transcript:
    """A transcript of the result of openvino-genai's `WhisperPipeline`.

    It tells words apart from segments: with words asked for, they all go into one segment.
    An open end is -1 there.
    """
    chunks = [
        (chunk.text.strip(), chunk.start_ts, chunk.end_ts if chunk.end_ts >= 0 else duration)
        for chunk in result.chunks or ()
    ]
    segments = tuple(Segment(text, start, max(start, end)) for text, start, end in chunks)
    if words and segments:
        timed = _words((word.word, word.start_ts, word.end_ts, 1.0) for word in result.words)
        text = " ".join(segment.text for segment in segments)
        segments = (Segment(text, segments[0].start, segments[-1].end, timed),)
    languages = getattr(result, "languages", None) or ["und"]
    return Transcript(segments, languages[0].strip("<|>"), 1.0, duration)


def _words(rows: Iterable[tuple[str, float, float, float]]) -> tuple[Word, ...]:
    return tuple(
        Word(text, start, max(start, end), probability) for text, start, end, probability in rows
    )


def _read_samples(path: Path) -> Samples:
    with read_audio(path) as blocks:
        parts = [block.samples for block in blocks]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def ctranslate2_folder(model: str) -> Path:
    """A folder in CTranslate2's layout: the one given, or installed weights put together.

    Raises OptionError where the model is neither a folder nor installed.
    """
    if Path(model).is_dir():
        return Path(model)
    found = find_model(model)
    if found is None or not is_installed(found):
        raise OptionError(
            f"faster-whisper needs the weights of {model} in CTranslate2's layout; "
            "give their folder"
        )
    target = cache_folder() / "ctranslate2" / found.name
    return target if target.is_dir() else _assemble(found, target)


def _assemble(model: Model, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{target.name}.", dir=target.parent) as scratch:
            folder = Path(scratch) / target.name
            folder.mkdir()
            copy_installed(model, folder, lambda *_: None)
            _copy_vocabulary(model, folder)
            _put_in_place(folder, target)
    except OSError as error:
        raise OutputError(f"{target}: can't be written ({error.strerror})", target) from error
    return target


def _copy_vocabulary(model: Model, folder: Path) -> None:
    """CTranslate2 wants vocabulary.txt; it lies beside config.json in the package.

    Our own road needs no such file, so the catalogue does not list it.
    """
    (config,) = (file for file in model.packaged if file.name == "config.json")
    package, path = config.parts[0]
    found = distribution(package).locate_file(path)
    shutil.copyfile(Path(str(found)).with_name("vocabulary.txt"), folder / "vocabulary.txt")


def _put_in_place(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError:
        # Another process was first; a folder that has something in it is never replaced.
        if not target.is_dir():
            raise
