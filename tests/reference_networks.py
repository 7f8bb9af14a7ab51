"""The small random networks that tests/data has reference values for, and their inputs.

The numbers come from PCG64's raw stream, which NumPy promises never to change, so that values made
once with another program (scripts/make_references.py) stay valid and no weights need to be stored.
Each array has a stream of its own, seeded by its name.
"""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
import numpy.typing as npt

from subvino.network import Dimensions
from tests.tiny_checkpoints import weight_shapes

NETWORKS = {
    "random_80": Dimensions(
        n_mels=80, n_state=128, n_heads=2, n_encoder_layers=2, n_decoder_layers=3, n_vocab=203
    ),
    "random_128": Dimensions(
        n_mels=128, n_state=192, n_heads=3, n_encoder_layers=3, n_decoder_layers=1, n_vocab=231
    ),
}
"""Networks by the name of their .npz file in tests/data."""


def reference_weights(dimensions: Dimensions) -> dict[str, npt.NDArray[np.float16]]:
    """Name → array for every weight, named as in `subvino.network`.

    The scales keep activations near 1 and attention peaked, so that every weight shows in the
    logits: with the small weights of a fresh network a wrong attention would hardly be seen.
    """
    return {
        name: _values(name, shape).astype(np.float16) for name, shape in weight_shapes(dimensions)
    }


def reference_mel(dimensions: Dimensions, n_windows: int = 2) -> npt.NDArray[np.float32]:
    """Log-mel-like input: float32 (n_windows, n_mels, 3000) in [-1, 1.5)."""
    values = _uniform("mel", (n_windows, dimensions.n_mels, 3000)) * 1.25 + 0.25
    return values.astype(np.float32)


def reference_ids(
    dimensions: Dimensions, n_windows: int = 2, n_tokens: int = 8
) -> npt.NDArray[np.int64]:
    """Token ids: int64 (n_windows, n_tokens)."""
    unit = (_uniform("ids", (n_windows, n_tokens)) + 1.0) / 2.0
    return (unit * dimensions.n_vocab).astype(np.int64)


def _values(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    values = _uniform(name, shape)
    if name.endswith("norm.weight"):
        return np.asarray(1.0 + 0.25 * values)
    if name.endswith("bias"):
        return np.asarray(0.25 * values)
    if "embed" in name:
        return values
    gain = 1.5 if "q_proj" in name or "k_proj" in name else 1.0
    return np.asarray(values * gain * math.sqrt(3.0 / math.prod(shape[1:])))


def _uniform(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Numbers in [-1, 1) of 53 bits."""
    raw = np.random.PCG64(crc32(name.encode())).random_raw(math.prod(shape))
    return np.asarray((raw >> np.uint64(11)) * 2.0**-52 - 1.0).reshape(shape)
