"""Whisper's network in plain numpy, written from the paper and openai/whisper's model.py.

Slow, and sharing nothing with `subvino.graphs`: what the graphs of any architecture are held to.
`tests/graphs/test_numpy_whisper.py` holds it in turn to transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subvino.network import Dimensions

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class NumpyWhisper:
    """The network of one set of weights, named as in `subvino.network`, in f32."""

    dimensions: Dimensions
    weights: Mapping[str, npt.NDArray[np.floating]]

    def encode(self, mel: Floats) -> Floats:
        """Log-mel (n_mels, 3000) → encoder states (1500, d)."""
        x = _gelu(self._convolve(mel.T, "encoder.conv1", 1))
        x = _gelu(self._convolve(x, "encoder.conv2", 2)) + self._weight("encoder.embed_positions")
        for n in range(self.dimensions.n_encoder_layers):
            name = f"encoder.layers.{n}"
            normal = self._normalise(x, f"{name}.self_attn_layer_norm")
            x = x + self._attend(normal, normal, f"{name}.self_attn")
            x = x + self._feed_forward(x, name)
        return self._normalise(x, "encoder.layer_norm")

    def decode(self, states: Floats, ids: Ints) -> Floats:
        """Tokens (n,) said over the encoder states → logits (n, n_vocab)."""
        table = self._weight("decoder.embed_tokens")
        x = table[ids] + self._weight("decoder.embed_positions")[: len(ids)]
        later = np.triu(np.full((len(ids), len(ids)), -np.inf, np.float32), 1)
        for n in range(self.dimensions.n_decoder_layers):
            name = f"decoder.layers.{n}"
            normal = self._normalise(x, f"{name}.self_attn_layer_norm")
            x = x + self._attend(normal, normal, f"{name}.self_attn", later)
            normal = self._normalise(x, f"{name}.encoder_attn_layer_norm")
            x = x + self._attend(normal, states, f"{name}.encoder_attn")
            x = x + self._feed_forward(x, name)
        logits: Floats = self._normalise(x, "decoder.layer_norm") @ table.T
        return logits

    def _weight(self, name: str) -> Floats:
        return self.weights[f"{name}.weight"].astype(np.float32)

    def _bias(self, name: str) -> Floats:
        """Zeros where the network has none (keys)."""
        found = self.weights.get(f"{name}.bias")
        return np.zeros((), np.float32) if found is None else found.astype(np.float32)

    def _linear(self, x: Floats, name: str) -> Floats:
        result: Floats = x @ self._weight(name).T + self._bias(name)
        return result

    def _convolve(self, x: Floats, name: str, stride: int) -> Floats:
        """(n, channels) → (n / stride, d), width 3, one zero on each side."""
        padded = np.pad(x, ((1, 1), (0, 0)))
        kernel = self._weight(name)
        n = len(x)
        taps = [padded[tap : tap + n : stride] @ kernel[:, :, tap].T for tap in range(3)]
        result: Floats = taps[0] + taps[1] + taps[2] + self._bias(name)
        return result

    def _normalise(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        result: Floats = centred / np.sqrt(variance + 1e-5) * self._weight(name) + self._bias(name)
        return result

    def _attend(self, x: Floats, source: Floats, name: str, mask: Floats | float = 0.0) -> Floats:
        n_head_state = self.dimensions.n_head_state
        queries = self._heads(self._linear(x, f"{name}.q_proj") / np.float32(n_head_state**0.5))
        keys = self._heads(self._linear(source, f"{name}.k_proj"))
        values = self._heads(self._linear(source, f"{name}.v_proj"))
        weights = queries @ keys.swapaxes(1, 2)
        weights += np.asarray(mask, np.float32)
        weights -= weights.max(axis=2, keepdims=True)
        np.exp(weights, out=weights)
        mixed = (weights @ values) / weights.sum(axis=2, keepdims=True)
        return self._linear(mixed.swapaxes(0, 1).reshape(x.shape), f"{name}.out_proj")

    def _heads(self, x: Floats) -> Floats:
        """(n, d) → (heads, n, d / heads)."""
        heads: Floats = x.reshape(len(x), self.dimensions.n_heads, -1).swapaxes(0, 1)
        return heads

    def _feed_forward(self, x: Floats, name: str) -> Floats:
        normal = self._normalise(x, f"{name}.final_layer_norm")
        return self._linear(_gelu(self._linear(normal, f"{name}.fc1")), f"{name}.fc2")


def _gelu(x: Floats) -> Floats:
    """x * Phi(x); erf by formula 7.1.26 of Abramowitz and Stegun, good to 1.5e-7."""
    y = np.abs(x) * np.float32(2**-0.5)
    t = 1 / (1 + np.float32(0.3275911) * y)
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    erf = np.sign(x) * (1 - series * np.exp(-y * y))
    result: Floats = np.float32(0.5) * x * (1 + erf)
    return result
