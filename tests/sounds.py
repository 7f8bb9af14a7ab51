"""Media made by the tests themselves: beeps at known times, in any container and codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

BEEP_SECONDS = 0.05
Samples = npt.NDArray[np.float32]


def beeps(times: Sequence[float], duration: float, rate: int = 16_000) -> Samples:
    """Beeps of 1 kHz at half scale, float32 (n,)."""
    samples = np.zeros(round(duration * rate), np.float32)
    beep = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(round(BEEP_SECONDS * rate)) / rate)
    for time in times:
        first = round(time * rate)
        samples[first : first + len(beep)] = beep[: len(samples) - first]
    return samples


def beep_times(samples: Samples, rate: int = 16_000) -> list[float]:
    """The times at which beeps begin, seconds: where the level first passes a tenth of full."""
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    begins = np.flatnonzero(np.diff(loud, prepend=-rate) > rate // 20)
    return [float(loud[begin]) / rate for begin in begins]


@dataclass(frozen=True)
class Track:
    """An audio track to be written; `delay`: seconds by which it starts late."""

    samples: Samples
    codec: str
    rate: int = 48_000
    layout: str = "mono"
    delay: float = 0.0
    metadata: Mapping[str, str] = field(default_factory=dict)
    default: bool = False


def write_media(
    path: Path,
    *tracks: Track,
    video: float = 0.0,
    offset: float = 0.0,
    options: Mapping[str, str] | None = None,
) -> Path:
    """A file with these tracks and `video` seconds of picture, its stamps beginning at `offset`."""
    with av.open(str(path), "w", options=dict(options or {})) as container:
        packets = [packet for track in tracks for packet in _encoded(container, track, offset)]
        packets += _picture(container, video, offset) if video else []
        for packet in sorted(packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            container.mux(packet)
    return path


def _encoded(
    container: av.container.OutputContainer, track: Track, offset: float
) -> list[av.Packet]:  # type: ignore[type-arg]
    stream = container.add_stream(track.codec, rate=track.rate, layout=track.layout)
    assert isinstance(stream, av.AudioStream)
    stream.metadata.update(track.metadata)
    if track.default:
        stream.disposition = av.stream.Disposition.default
    context = stream.codec_context
    if track.codec == "vorbis":
        context.options = {"strict": "experimental"}
    formats = context.codec.audio_formats or []
    resampler = av.AudioResampler(formats[0].name, track.layout, track.rate)
    packets = []
    for first in range(0, len(track.samples), 1024):
        part = track.samples[first : first + 1024]
        packed = np.repeat(part, context.layout.nb_channels)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(packed, "flt", track.layout)
        frame.sample_rate, frame.time_base = track.rate, Fraction(1, track.rate)
        frame.pts = first + round((offset + track.delay) * track.rate)
        packets += [p for piece in resampler.resample(frame) for p in stream.encode(piece)]
    return packets + stream.encode(None)


def _picture(
    container: av.container.OutputContainer, seconds: float, offset: float
) -> list[av.Packet]:  # type: ignore[type-arg]
    stream = container.add_stream("mpeg4", rate=25)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    packets = []
    for index in range(round(seconds * 25)):
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), index % 256, np.uint8), "yuv420p")
        frame.pts, frame.time_base = index + round(offset * 25), Fraction(1, 25)
        packets += stream.encode(frame)
    return packets + stream.encode(None)
