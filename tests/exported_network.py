"""The small network that tests/data/optimum holds as Optimum-Intel exports it, and its input.

Shared by the tests and by scripts/make_optimum_reference.py, which exports it.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from subvino.audio import SAMPLE_RATE, Samples
from subvino.network import Dimensions, GenerationSettings
from tests.tiny_checkpoints import n_text_tokens

EXPORTED = Dimensions(
    n_mels=80,
    n_state=32,
    n_heads=2,
    n_encoder_layers=1,
    n_decoder_layers=2,
    n_vocab=1880,
    n_text_context=64,
)
"""Its weights are those of `reference_networks.reference_weights`."""

EOT = n_text_tokens(EXPORTED.n_vocab)
TIMESTAMP_BEGIN = EXPORTED.n_vocab - 1501
SETTINGS = GenerationSettings(
    suppress_tokens=(1, 2, 7, *range(EOT + 1, TIMESTAMP_BEGIN)), begin_suppress_tokens=(10, EOT)
)

VOCABULARY_STEP = 16
"""Of the logits every so many-th is stored."""

SOUNDS = ("first", "low", "two", "three")


def exported_sound(name: str, seconds: float = 29.0) -> Samples:
    """A siren of the name's own pitch and pace: float32 (n,).

    So long and so plain that a random network, which hears little, tells the sounds apart.
    """
    seed = crc32(name.encode())
    pitch, pace = 150.0 * (1 + seed % 23), 0.05 * (1 + seed // 23 % 40)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    swing = np.sin(2 * np.pi * pace * time) / pace
    return (0.5 * np.sin(2 * np.pi * pitch * (time + 0.1 * swing))).astype(np.float32)
