"""Small videos made by the tests, and what is in a video when it is looked at again."""

from __future__ import annotations

import hashlib
import html
import importlib.util
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from subvino.subtitles import Cue, Subtitles
from subvino.video import SubtitleTrack
from subvino.video.ffmpeg import find_ffmpeg

RATE = 25
Picture = npt.NDArray[np.uint8]
Packets = list[tuple[Fraction, Fraction | None, str]]

CUES = (
    Cue(303, 1007, ("A rainbow is a division", "of white <light>")),
    Cue(1111, 1899, ("2024", "{Grüße} & 虹")),
)


def track(language: str = "en", title: str | None = None) -> SubtitleTrack:
    return SubtitleTrack(Subtitles(CUES, language), title)


def plain_picture(width: int, height: int, shade: int = 96) -> Picture:
    """A grey ramp, (height, width, 3)."""
    ramp = np.linspace(0, 40, width)[np.newaxis, :, np.newaxis] + shade
    return np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8)


@dataclass(frozen=True)
class Shape:
    width: int = 320
    height: int = 180
    codec: str = "libx264"
    sound: str = "aac"
    pix_fmt: str = "yuv420p"


SHAPES = {
    ".mp4": Shape(),
    ".mov": Shape(),
    ".mkv": Shape(sound="libopus"),
    ".webm": Shape(codec="libvpx", sound="libopus"),
}
"""Of what each kind of file holds."""


def write_video(
    path: Path,
    shape: Shape | None = None,
    pictures: Sequence[Picture] | None = None,
    start: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Two seconds of a still picture, or the pictures given, and a tone.

    start: of the time stamps. options: of FFmpeg's muxer.
    """
    shape = shape or Shape()
    pictures = pictures or [plain_picture(shape.width, shape.height)] * (2 * RATE)
    with av.open(str(path), "w", options=options or {}) as container:
        packets = [*_picture(container, shape, pictures, start)]
        packets += _tone(container, shape, len(pictures) / RATE, start)
        for packet in sorted(packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            container.mux(packet)
    return path


def _picture(
    container: av.container.OutputContainer, shape: Shape, pictures: Sequence[Picture], start: float
) -> Iterator[av.Packet]:  # type: ignore[type-arg]
    stream = container.add_stream(shape.codec, rate=RATE)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, shape.pix_fmt
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=shape.pix_fmt)
        frame.pts, frame.time_base = index + round(start * RATE), Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _tone(
    container: av.container.OutputContainer, shape: Shape, seconds: float, start: float
) -> Iterator[av.Packet]:  # type: ignore[type-arg]
    stream = container.add_stream(shape.sound, rate=48_000, layout="mono")
    assert isinstance(stream, av.AudioStream)
    form = (stream.codec_context.codec.audio_formats or [])[0].name
    resampler = av.AudioResampler(form, "mono", 48_000)
    tone = np.sin(np.arange(round(seconds * 48_000)) / 20).astype(np.float32) / 4
    for first in range(0, len(tone), 960):
        frame = av.AudioFrame.from_ndarray(tone[np.newaxis, first : first + 960], "flt", "mono")
        frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
        frame.pts = first + round(start * 48_000)
        for piece in resampler.resample(frame):
            yield from stream.encode(piece)
    yield from stream.encode(None)


def run_ffmpeg(*arguments: str | Path) -> None:
    """What the tests need and PyAV can't make."""
    command = [find_ffmpeg("testing"), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def font_folder() -> Path:
    """DejaVu's fonts, which matplotlib brings along: a machine may have none."""
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


# --- looking at it


def packets_of(path: Path) -> list[Packets]:
    """Of picture and sound: times (shown, decoded) and digest of every packet."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type in ("video", "audio")]
        found: list[Packets] = [[] for _ in streams]
        places = {stream.index: place for place, stream in enumerate(streams)}
        for packet in container.demux(streams):
            if packet.size and packet.pts is not None:
                decoded = None if packet.dts is None else packet.dts * packet.time_base
                digest = hashlib.sha256(bytes(packet)).hexdigest()
                row = (packet.pts * packet.time_base, decoded, digest)
                found[places[packet.stream_index]].append(row)
    return found


def cues_of(path: Path, number: int) -> list[tuple[float, float, str]]:
    """Begin, end (seconds) and text of a subtitle track's cues, as they stand in the file."""
    with av.open(str(path)) as container:
        rows = []
        for packet in container.demux(container.streams.subtitles[number]):
            text = _text(packet.stream.codec_context.name, bytes(packet))
            begin, duration = packet.pts or 0, packet.duration or 0
            times = float(begin * packet.time_base), float((begin + duration) * packet.time_base)
            rows += [(*times, text)] if text else []
    return rows


def _text(codec: str, data: bytes) -> str:
    """MOV text has the length of its text before it; WebVTT escapes as HTML does."""
    if codec == "mov_text":
        return data[2 : 2 + int.from_bytes(data[:2], "big")].decode()
    return html.unescape(data.decode()) if codec == "webvtt" else data.decode()


def frame_at(path: Path, time: float) -> Picture:
    """The frame shown at a media time, the right way up, (height, width, 3)."""
    with av.open(str(path)) as container:
        shown = None
        zero = max(0, container.start_time or 0) / 1e6
        for frame in container.decode(video=0):
            if (frame.time or 0) - zero > time + 1e-6:
                break
            shown = frame
    assert shown is not None
    picture: Picture = np.rot90(shown.to_ndarray(format="rgb24"), shown.rotation // 90)
    return picture


@dataclass(frozen=True)
class Box:
    """The smallest one around what differs; shares of the picture, from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


def difference(before: Picture, after: Picture) -> Box | None:
    """Where two pictures differ by more than encoding them again does; None: nowhere."""
    assert before.shape == after.shape
    differs = np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 48
    if not differs.any():
        return None
    height, width = differs.shape
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    return Box(
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
