"""A small random network to quantize, and real speech to calibrate it with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from subvino.models import prepare_model
from subvino.network import Dimensions, ModelFolder
from subvino.quantize.recording import Limits, Recording, record
from tests import tiny_checkpoints as tiny

SPEECH = Path(__file__).parents[1] / "data" / "speech"
CLIPS = (SPEECH / "ls_61-70968-0000.flac", SPEECH / "p225_020.flac")

DIMENSIONS = Dimensions(
    n_mels=80,
    n_state=64,
    n_heads=2,
    n_encoder_layers=1,
    n_decoder_layers=1,
    n_vocab=2000,
    n_text_context=48,
)
"""So short a context ends an attempt after 24 tokens."""


def ignore(step: str, done: int, total: int) -> None:
    """Progress that nobody wants."""


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder, only to be read."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny-random"
    weights = tiny.random_weights(DIMENSIONS)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(folder, DIMENSIONS, weights)
    return folder


@pytest.fixture(scope="session")
def exact_model(
    checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelFolder]:
    """The network with 16-bit weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield prepare_model(checkpoint, "fp16")


@pytest.fixture(scope="session")
def recording(exact_model: ModelFolder) -> Recording:
    """What the network is fed on the two clips."""
    return record(exact_model, CLIPS, Limits(windows=2, steps=3), ignore)
