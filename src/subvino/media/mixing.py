"""Frames of any format → one channel, nothing clipped and nothing cancelled out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from subvino.audio import Samples

if TYPE_CHECKING:
    import av


def frame_planes(frame: av.AudioFrame) -> Samples:
    """float32 (channels, n), integer formats scaled to [-1, 1)."""
    n_channels = len(frame.layout.channels)
    if frame.format.name.startswith("s64") or (frame.format.is_planar and n_channels >= 8):
        frame = _packed(frame)
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, n_channels).T
    planes = array.astype(np.float32)
    if array.dtype.kind == "f":
        return planes
    planes *= 2.0 / 256**array.itemsize
    return planes - np.float32(1.0) if array.dtype.kind == "u" else planes


def _packed(frame: av.AudioFrame) -> av.AudioFrame:
    """The same frame in a format that PyAV can hand to NumPy.

    It has no arrays of 64-bit integers, and from eight planes on it reads behind the last one
    (PyAV 18.1: `AudioFrame.planes` looks for a null that is not there) and crashes.
    """
    import av

    return av.AudioResampler("flt", frame.layout.name, frame.sample_rate).resample(frame)[0]


_LEVELS = {"FL": 0.7071, "FR": 0.7071, "FC": 1.0, "LFE": 0.0, "LFE2": 0.0} | dict.fromkeys(
    ("BL", "BR", "BC", "SL", "SR", "FLC", "FRC", "DL", "DR", "WL", "WR"), 0.5
)
"""How much of each channel goes into the mix: ITU-R BS.775-4, annex 4, table 2 (to one channel).
Speech in films is in the centre (FC)."""


def channel_weights(names: Sequence[str]) -> Samples:
    """The share of each channel in the mix, float32 (channels,), summing to 1: nothing clips.

    names: as FFmpeg has them ("FL", "FR", ...); where one isn't known all count the same.
    """
    levels = np.array([_LEVELS.get(name, np.nan) for name in names], np.float32)
    if not np.isfinite(levels).all() or not levels.any():
        levels = np.ones(len(names), np.float32)
    shares: Samples = levels / levels.sum(dtype=np.float32)
    return shares


def mix_down(planes: Samples, weights: Samples) -> Samples:
    """One channel, float32 (n,), from (channels, n).

    Two channels that cancel each other out (one was wired the wrong way round) sound well in a
    room and vanish in a mix; the first one is taken then.
    """
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    # No products of matrices: see `features._sparse_filters`.
    mono = (weights[:, None] * planes).sum(axis=0)
    if len(planes) == 2 and np.square(mono).sum() < 0.01 * np.square(planes[0]).sum():
        mono = planes[0]
    return np.ascontiguousarray(mono, np.float32)


def bounded(samples: Samples) -> Samples:
    """In [-1, 1]; a codec's overshoot is clipped and what is no number (a hostile file) is 0."""
    if not np.isfinite(np.sum(samples)):
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return samples.clip(-1.0, 1.0)
