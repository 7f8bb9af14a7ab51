"""The real model, compiled once for all tests of the recognizer."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from subvino.audio import SAMPLE_RATE, Samples, SpeechSegment, Window, WindowSound
from subvino.devices import compile_properties
from subvino.models import prepare_model
from subvino.whisper import WhisperRecognizer, load_recognizer
from tests.installed_weights import base_folders

SPEECH = Path(__file__).parents[1] / "data" / "speech"


@pytest.fixture(scope="session")
def reference_recognizer() -> WhisperRecognizer:
    """whisper-base in f32, weights as published."""
    base_folders()
    folder = prepare_model("base", "fp16")
    return load_recognizer(folder, "CPU", compile_properties("CPU", precision="reference"))


@pytest.fixture(scope="session")
def shipping_recognizer() -> WhisperRecognizer:
    """whisper-base as users get it."""
    base_folders()
    return load_recognizer(prepare_model("base"), "CPU", compile_properties("CPU"))


def read_speech(name: str) -> Samples:
    """A clip of tests/data/speech."""
    with av.open(str(SPEECH / f"{name}.flac")) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return (np.concatenate(frames) / 32768).astype(np.float32)


def as_window(samples: Samples, start: float = 0.0) -> WindowSound:
    """The samples as one window, all of it speech."""
    span = SpeechSegment(start, start + len(samples) / SAMPLE_RATE)
    return WindowSound(Window((span,), (span,)), samples)
