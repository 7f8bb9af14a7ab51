"""How many operations and bytes a Whisper network needs, counted from its sizes."""

from __future__ import annotations

from dataclasses import dataclass

from subvino.network import Dimensions

CACHE_BYTES = 2
"""Of a key or value: bf16 or float16."""


@dataclass(frozen=True, slots=True)
class Work:
    """linear: operations with weights; attention: without; bytes_read: that must come from memory.

    An operation is a multiplication or an addition.
    """

    linear: float
    attention: float
    bytes_read: float

    def __mul__(self, times: float) -> Work:
        return Work(self.linear * times, self.attention * times, self.bytes_read * times)


def encoder_work(sizes: Dimensions, weight_bytes: float = 1.0) -> Work:
    """One window: two convolutions, then in each layer attention and two products with 4d."""
    d, n = sizes.n_state, sizes.n_audio_context
    convolutions = 2.0 * 3 * d * (sizes.n_mels * 2 * n + d * n)
    weights = sizes.n_encoder_layers * 12.0 * d * d
    attention = sizes.n_encoder_layers * 4.0 * n * n * d
    return Work(convolutions + 2 * weights * n, attention, weights * weight_bytes)


def cross_work(sizes: Dimensions, weight_bytes: float = 1.0) -> Work:
    """One window: its keys and values for every layer of the decoder, written once."""
    d, n = sizes.n_state, sizes.n_audio_context
    weights = sizes.n_decoder_layers * 2.0 * d * d
    written = sizes.n_decoder_layers * 2.0 * n * d * CACHE_BYTES
    return Work(2 * weights * n, 0.0, weights * weight_bytes + written)


@dataclass(frozen=True, slots=True)
class Decoding:
    """tokens: that a window's text has, with timestamps and prompt. windows: decoded at once.
    beams: rows of each.
    """

    tokens: float
    windows: int
    beams: int


def decoder_work(sizes: Dimensions, decoding: Decoding, weight_bytes: float = 1.0) -> Work:
    """One window, its share of the steps of a full batch.

    A step reads the weights once for all rows, and a window's keys and values once for its beams.
    """
    d, layers = sizes.n_state, sizes.n_decoder_layers
    weights = layers * 14.0 * d * d + sizes.n_vocab * d
    past = decoding.tokens / 2
    attention = layers * 4.0 * (sizes.n_audio_context + past) * d * decoding.beams
    cross = layers * 2.0 * sizes.n_audio_context * d * CACHE_BYTES
    own = layers * 2.0 * past * d * CACHE_BYTES * decoding.beams
    read = weights * weight_bytes / decoding.windows + cross + own
    return Work(2 * weights * decoding.beams, attention, read) * decoding.tokens
