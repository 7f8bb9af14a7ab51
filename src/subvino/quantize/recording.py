"""Calibration data: what the real pipeline feeds the encoder and the decoder.

Sound goes through speech detection, windows and the decode loop as it always does, window by
window; a recording engine keeps what the two graphs are given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.devices import compile_properties
from subvino.errors import CalibrationError, OptionError
from subvino.graphs.head import Vocabulary
from subvino.network import ModelFolder
from subvino.pipeline import Transcriber
from subvino.recognizer import DecodingOptions
from subvino.vad import VadOptions, load_detector
from subvino.whisper import WhisperRecognizer
from subvino.whisper.compiled import Properties
from subvino.whisper.engine import Engine
from subvino.whisper.slots import FLOAT32, INT32

Array = npt.NDArray[Any]
CountProgress = Callable[[str, int, int], None]
"""Called with the step in words, what is done of it and what there is to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """A decoding step: the window it belongs to, and the decoder's inputs but the window's own."""

    window: int
    inputs: dict[str, Array]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is recorded at most.

    windows: of all the speech. steps: of a window's decoding, spread over its text.
    """

    windows: int = 64
    steps: int = 6


@dataclass
class Recording:
    """What was recorded: the log-mel (1, n_mels, 3000) of each window, and decoding steps.

    Window keys and values are not kept: they are large, and the encoder makes them again.
    """

    mels: list[FLOAT32] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    n_steps_seen: int = 0

    def digest(self) -> str:
        """SHA-256 of everything recorded."""
        digest = hashlib.sha256()
        for mel in self.mels:
            digest.update(mel.tobytes())
        for step in self.steps:
            for name in sorted(step.inputs):
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(step.inputs[name]).tobytes())
        return digest.hexdigest()


class RecordingEngine(Engine):
    """An engine that keeps what its graphs are fed, as far as the limits go."""

    def __init__(
        self,
        folder: ModelFolder,
        vocabulary: Callable[[], Vocabulary],
        device: str,
        properties: Properties,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(folder, vocabulary, device, properties)
        self.recording = Recording()
        self._limits = limits
        self._of_window: list[Step] = []

    @property
    def is_full(self) -> bool:
        """Whether all the windows that are wanted were seen."""
        return len(self.recording.mels) >= self._limits.windows

    def hear(self, mel: FLOAT32) -> ov.Tensor:
        """As the engine does; a new window begins."""
        self.finish_window()
        self.recording.mels.append(np.array(mel[None], np.float32))
        return super().hear(mel)

    def decode(
        self, request: ov.InferRequest, tokens: INT32, positions: INT32, mask: FLOAT32
    ) -> npt.NDArray[np.generic]:
        """As the engine does; the step's inputs are kept."""
        present = super().decode(request, tokens, positions, mask)
        self.recording.n_steps_seen += 1
        window = len(self.recording.mels) - 1
        self._of_window.append(Step(window, dict(_own_inputs(request))))
        if len(self._of_window) >= 8 * self._limits.steps:  # keeps memory bounded
            self._of_window = _spread(self._of_window, 4 * self._limits.steps)
        return present

    def finish_window(self) -> None:
        """Choose among the window's steps those that are kept."""
        recording = self.recording
        recording.steps += _spread(self._of_window, self._limits.steps)
        self._of_window = []


def _own_inputs(request: ov.InferRequest) -> Iterator[tuple[str, Array]]:
    """The inputs of a step but for the window's keys and values."""
    for port in request.get_compiled_model().inputs:
        name = port.any_name
        if not name.startswith("cross_"):
            data = request.get_tensor(name).data
            # Halves hold keys and values well enough to take ranges from.
            yield name, data.astype(np.float16) if name.startswith("past_") else data.copy()


def _spread(steps: Sequence[Step], count: int) -> list[Step]:
    """At most `count` of the steps, the first and the last among them."""
    if len(steps) <= count:
        return list(steps)
    places = np.unique(np.linspace(0, len(steps) - 1, count).round().astype(int))
    return [steps[place] for place in places]


def record(
    folder: ModelFolder, files: Sequence[Path], limits: Limits, progress: CountProgress
) -> Recording:
    """What a model's graphs are fed while it transcribes the files.

    folder: a model with 16-bit weights; it runs on the CPU in f32.

    Raises:
        CalibrationError: nobody speaks in the files.
        InputError: a file can't be read.
    """
    recognizer = _recording_recognizer(folder, limits)
    engine = recognizer.engine
    assert isinstance(engine, RecordingEngine)  # noqa: S101 - just made
    transcriber = Transcriber(recognizer, load_detector(VadOptions()))
    # One window at a time, so that each step is that of a known window.
    options = DecodingOptions(batch_size=1, beam_size=1, temperatures=(0.0,), words=False)
    for i, file in enumerate(files):
        progress("listen", i, len(files))
        for _ in transcriber.open(file, options):
            if engine.is_full:
                break
        if engine.is_full:
            break
    engine.finish_window()
    progress("listen", len(files), len(files))
    if not engine.recording.steps:
        raise CalibrationError(
            "nobody speaks in the calibration data; give recordings of speech", str(files[0])
        )
    return engine.recording


def _recording_recognizer(folder: ModelFolder, limits: Limits) -> WhisperRecognizer:
    if folder.layout != "subvino":
        raise OptionError(
            f"{folder.name} comes as OpenVINO IR; quantize the checkpoint it was exported from"
        )
    properties = compile_properties("CPU", precision="reference")
    return WhisperRecognizer(folder, "CPU", properties, partial(RecordingEngine, limits=limits))


class DecoderInputs:
    """All inputs of the recorded decoding steps, made one after the other.

    The keys and values of a window come from the encoder when they are needed, so that memory
    holds those of one window only.
    """

    def __init__(self, encoder: ov.Model, recording: Recording) -> None:
        """Take the encoder with 16-bit weights."""
        exact = {"EXECUTION_MODE_HINT": "ACCURACY"}
        self._encode = ov.Core().compile_model(encoder, "CPU", exact).create_infer_request()
        self._recording = recording
        self._window = -1
        self._cross: dict[str, Array] = {}

    def __len__(self) -> int:
        """Number of steps."""
        return len(self._recording.steps)

    def __iter__(self) -> Iterator[dict[str, Array]]:
        """The steps' inputs by name, f32 where they are not tokens' places."""
        for step in self._recording.steps:
            if step.window != self._window:
                self._cross = self._encoded(step.window)
            own = {
                name: value.astype(np.float32) if value.dtype == np.float16 else value
                for name, value in step.inputs.items()
            }
            yield {**own, **self._cross}

    def _encoded(self, window: int) -> dict[str, Array]:
        self._window = window
        self._encode.infer([self._recording.mels[window]])
        ports = self._encode.get_compiled_model().outputs
        return {port.any_name: self._encode.get_tensor(port).data.copy() for port in ports}
