"""The short clips of real speech under `data/vad`, as samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from subvino.audio import SAMPLE_RATE, Audio, Samples

FOLDER = Path(__file__).parent / "data" / "vad"


def read_clip(name: str) -> Samples:
    """Samples of a 16-bit FLAC file at 16 kHz."""
    with av.open(str(FOLDER / f"{name}.flac")) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return (np.concatenate(frames) / 32768).astype(np.float32)


def in_blocks(samples: Samples, n_samples: int, start: float = 0.0) -> Iterator[Audio]:
    """The samples as a stream of blocks."""
    for offset in range(0, len(samples), n_samples):
        yield Audio(samples[offset : offset + n_samples], start + offset / SAMPLE_RATE)
