"""Small real files in every common container, made from the sample's own speech."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
import numpy as np

from subvino.audio import SAMPLE_RATE
from subvino.media import read_audio
from tests.sounds import Samples, Track, write_media

SAMPLE = Path(__file__).parents[3] / "samples" / "rainbow.mp4"
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "700000"}


@dataclass(frozen=True)
class Seed:
    """How a seed is made.

    seconds: of speech, from the sample's beginning. n_tracks: audio tracks.
    is_counted: whether the form tells how much sound there should be, or marks its end.
    parts: pieces, each made by itself, the second at half the rate and with another number of
        channels; they are then joined byte by byte.
    """

    name: str
    codec: str
    rate: int = 48_000
    layout: str = "mono"
    seconds: float = 5.0
    video: bool = False
    n_tracks: int = 1
    parts: int = 1
    is_counted: bool = True
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """Of the file's name."""
        return Path(self.name).suffix


SEEDS = (
    Seed("film.mp4", "aac", video=True),
    Seed("fast.mp4", "aac", layout="stereo", options={"movflags": "faststart"}),
    Seed("parts.mp4", "aac", video=True, options=_FRAGMENTS),
    Seed("mp3.mp4", "libmp3lame", video=True),
    Seed("film.mkv", "aac", layout="stereo", video=True),
    Seed("flac.mkv", "flac", 16_000),
    Seed("ac3.mkv", "ac3", video=True),
    Seed("live.mkv", "libopus", options={"live": "1"}),
    Seed("tracks.mkv", "pcm_u8", 8_000, n_tracks=300, seconds=0.6),
    Seed("tracks.ts", "mp2", n_tracks=150, seconds=0.6, is_counted=False),
    Seed("opus.webm", "libopus"),
    Seed("vorbis.webm", "vorbis", layout="stereo"),
    Seed("film.mov", "pcm_s16le", 22_050, video=True),
    Seed("aac.mov", "aac", layout="5.1"),
    Seed("film.avi", "libmp3lame", video=True),
    Seed("pcm.avi", "pcm_s16le", 11_025, "stereo", video=True),
    Seed("film.ts", "mp2", video=True, is_counted=False),
    Seed("aac.ts", "aac", layout="stereo", is_counted=False),
    Seed("joined.ts", "mp2", parts=2, is_counted=False),
    Seed("a.mp3", "libmp3lame", 44_100, "stereo"),
    Seed(
        "bare.mp3",
        "libmp3lame",
        22_050,
        is_counted=False,
        options={"write_xing": "0", "id3v2_version": "0"},
    ),
    Seed("joined.mp3", "libmp3lame", parts=2, is_counted=False),
    Seed("a.m4a", "aac", 44_100, "stereo"),
    Seed("alac.m4a", "alac", 44_100),
    Seed("opus.ogg", "libopus"),
    Seed("vorbis.ogg", "vorbis", layout="stereo"),
    Seed("flac.ogg", "flac", 16_000),
    Seed("joined.ogg", "libopus", parts=2),
    Seed("a.flac", "flac", 44_100, "stereo"),
    Seed("b.flac", "flac", 16_000),
    Seed("a.wav", "pcm_s16le", 44_100, "stereo"),
    Seed("f32.wav", "pcm_f32le", 16_000),
    Seed("adpcm.wav", "adpcm_ima_wav", 22_050),
    Seed("joined.aac", "aac", layout="stereo", parts=2, is_counted=False),
)
"""Every common container, with the codecs that they hold most."""


def make_seeds(folder: Path) -> dict[str, bytes]:
    """The bytes of every seed by its name."""
    return {seed.name: make_seed(seed, folder) for seed in SEEDS}


def make_seed(seed: Seed, folder: Path) -> bytes:
    """The bytes of one seed, the same at every call."""
    path = folder / seed.name
    if not path.exists():
        path.write_bytes(b"".join(_parts(seed, path)))
    return path.read_bytes()


def _parts(seed: Seed, path: Path) -> Iterator[bytes]:
    for part in range(seed.parts):
        rate = seed.rate >> part
        layout = seed.layout if part == 0 else "mono" if seed.layout == "stereo" else "stereo"
        track = Track(_speech(seed.seconds, rate), seed.codec, rate, layout)
        written = path.with_name(f"part{part}_{seed.name}")
        video = seed.seconds if seed.video else 0.0
        options = {"fflags": "+bitexact", **seed.options}
        write_media(written, *[track] * seed.n_tracks, video=video, options=options)
        yield written.read_bytes()
        written.unlink()


@cache
def _speech(seconds: float, rate: int) -> Samples:
    with read_audio(SAMPLE, block=seconds) as stream:
        speech = next(iter(stream)).samples
    if rate == SAMPLE_RATE:
        return speech
    frame = av.AudioFrame.from_ndarray(speech[np.newaxis], "fltp", "mono")
    frame.sample_rate = SAMPLE_RATE
    resampler = av.AudioResampler("fltp", "mono", rate)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    resampled: Samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return resampled
