"""What the scripts of the other engines share: their options, a media file's sound, SRT.

It imports nothing of subvino: some run in an environment without it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000
Row = tuple[float, float, str]
"""Start and end, seconds, and text."""


def read_options(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("media", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--language", help="left out for a model that knows one only")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--batch", type=int)
    return parser.parse_args()


def read_sound(path: Path) -> npt.NDArray[np.float32]:
    """Mono, 16 kHz, float32 (n,)."""
    import av

    resampler = av.AudioResampler("flt", "mono", RATE)
    with av.open(str(path)) as container:
        frames: Iterable[Any] = container.decode(audio=0)
        parts = [p.to_ndarray()[0] for f in frames for p in resampler.resample(f)]
    return np.concatenate([*parts, *(p.to_ndarray()[0] for p in resampler.resample(None))])


def write_srt(path: Path, rows: Iterable[Row]) -> None:
    """One cue a row; rows may come as they are made."""
    with path.open("w", encoding="utf-8") as file:
        for number, (start, end, text) in enumerate(rows, start=1):
            file.write(f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{text.strip()}\n\n")


def _stamp(seconds: float) -> str:
    ms = round(1000 * seconds)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"
