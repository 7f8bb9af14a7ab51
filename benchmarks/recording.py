"""The recording that the speed benchmarks hear: clips of sets joined, with the sound of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
from joined import encode_aac, join_clips

from subvino.evaluate import Clip, Manifest, read_manifest


def read_sets(paths: Sequence[Path], strip_accents: str) -> list[Manifest]:
    """strip_accents: names of sets whose references have none, parted by commas."""
    plain = strip_accents.split(",")
    return [read_manifest(path, strip_accents=path.name in plain) for path in paths]


def make_recording(sets: Sequence[Manifest], minutes: float, folder: Path) -> Clip:
    """The sets joined to at least so many minutes, as MP4 with AAC sound."""
    wav, media = folder / "recording.wav", folder / "recording.mp4"
    clip = join_clips(sets, wav, minutes)
    encode_aac(wav, media)
    wav.unlink()
    return replace(clip, audio=media)


def media_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base
