"""A small random network as a recognizer: quick, and with as much to go wrong as a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from subvino.devices import compile_properties
from subvino.models import prepare_model
from subvino.network import Dimensions
from subvino.whisper import WhisperRecognizer, load_recognizer
from tests import tiny_checkpoints as tiny

DIMENSIONS = Dimensions(
    n_mels=80,
    n_state=32,
    n_heads=2,
    n_encoder_layers=1,
    n_decoder_layers=2,
    n_vocab=2000,
    n_text_context=48,
)
"""So short a context ends an attempt after 24 tokens."""


def make_recognizer(folder: Path, seed: int) -> WhisperRecognizer:
    """The network of a seed, in f32, with logits far enough apart that rounding decides nothing."""
    weights = tiny.random_weights(DIMENSIONS, seed)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(folder / "model", DIMENSIONS, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(folder / "cache"))
        model = prepare_model(folder / "model", "fp16")
    properties = compile_properties("CPU", precision="reference", threads=1)
    return load_recognizer(model, "CPU", properties)
