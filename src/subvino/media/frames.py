"""An open file → the frames of one track, past what can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from subvino.media.continuity import BARE, Span
from subvino.media.file import MediaFile, encrypted_error
from subvino.media.info import AudioTrack
from subvino.timeline import is_stray

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_RATES = range(1_000, 768_001)
"""Hz. A sample rate outside is a damaged header, and the resampler's filter would grow with it."""

_MAX_FAILURES = 1_000
"""Read errors after which a file is given up; each one skips ahead."""


MIN_LOST = 0.1
"""Seconds. Less than this that can't be read is no word lost: a codec frame is 20 to 40 ms."""


@dataclass(slots=True)
class Report:
    """What went wrong while a track was read.

    kinds: what → (how often, media time of the first).
    failing: seconds that could not be decoded since the last good frame; None if nothing failed.
    is_cut: sound is missing at the end, `missing` seconds as far as the file tells.
    is_unread: FFmpeg has given up parts of the file since the last good frame.
    span: of the last packet that gave sound, as in `Frame`.
    first, read: of the first and of the last packet that FFmpeg found.
    """

    end: float = 0.0
    lost: float = 0.0
    missing: float = 0.0
    is_cut: bool = False
    is_unread: bool = False
    span: Span | None = None
    first: Span | None = None
    read: Span | None = None
    failing: float | None = None
    gaps: list[tuple[float, float]] = field(default_factory=list)
    kinds: dict[str, tuple[int, float]] = field(default_factory=dict)

    def count(self, kind: str, at: float) -> None:
        """Note a kind of damage, met at a media time."""
        count, first = self.kinds.get(kind, (0, at))
        self.kinds[kind] = (count + 1, first)

    def note_packet(self, span: Span) -> None:
        """Note where a packet was found."""
        self.first, self.read = self.first or span, span

    def fail(self, kind: str, seconds: float) -> None:
        """Note that so many seconds could not be decoded here."""
        self.count(kind, self.end)
        self.failing = (self.failing or 0.0) + seconds

    def seconds_in(self, n: int) -> float:
        """About how long the sound in so many bytes is, going by those read so far."""
        return n * self.end / self.span.end if self.span and self.end else 0.0

    def take_failing(self) -> float | None:
        """`failing`, counted anew from here."""
        failing, self.failing, self.is_unread = self.failing, None, False
        return failing

    def phrases(self) -> tuple[str, ...]:
        """The kinds of damage in words."""
        return tuple(
            kind if count == 1 else f"{count} times: {kind}, first at {first:.1f} s"
            for kind, (count, first) in self.kinds.items()
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame, the media time it claims (None: none) and its length, seconds.

    span: its packet in the file, where FFmpeg knows it.
    failing: as in `Report`, between the frame before it and this one.
    """

    frame: av.AudioFrame
    stamp: float | None
    duration: float
    span: Span | None = None
    failing: float | None = None


def _packets(
    container: InputContainer, stream: av.AudioStream, report: Report
) -> Iterator[av.Packet[av.AudioStream]]:
    """The track's packets, past read errors: each call of demux goes on where the last stopped."""
    from av.error import FFmpegError

    for _ in range(_MAX_FAILURES):
        try:
            yield from container.demux(stream)
        except (FFmpegError, OSError):  # noqa: PERF203
            report.fail("part of the file can't be read", 0.0)
            report.is_unread = True
        except IndexError:  # PyAV's way to end a file in which streams turned up later
            return
        else:
            return


def decoded_frames(file: MediaFile, track: AudioTrack, report: Report) -> Iterator[Frame]:
    """The track's frames; what can't be decoded is counted and left out."""
    stream = file.container.streams.audio[track.index]
    _discard_others(file.container, stream)
    tick = float(stream.time_base or 0)
    has_stamps = True
    for frame, span in _decode(_packets(file.container, stream, report), file, tick, report):
        if frame.sample_rate not in _RATES:
            report.fail(f"a sample rate of {frame.sample_rate} Hz", 0.0)
        elif frame.samples:
            has_stamp = has_stamps and frame.pts is not None
            stamp = (frame.pts or 0) * tick - file.info.start if has_stamp else None
            seconds = frame.samples / frame.sample_rate
            yield Frame(frame, stamp, seconds, span, report.take_failing())
            has_stamps = file.info.container not in BARE
    report.lost += report.failing or 0.0


def _decode(
    packets: Iterator[av.Packet[av.AudioStream]], file: MediaFile, tick: float, report: Report
) -> Iterator[tuple[av.AudioFrame, Span | None]]:
    """Frames, each with the place of its packet in the file."""
    from av.error import FFmpegError

    for packet in packets:
        file.watchdog.beat()
        if packet.is_corrupt:  # MPEG-TS: its pieces are not all there
            report.fail("packets that are damaged", 0.0)
        try:
            span = None if packet.pos is None else Span(packet.pos, packet.pos + packet.size)
            if span is not None:
                report.note_packet(span)
            for frame in packet.decode():
                yield frame, span
        except FFmpegError as error:
            if packet.has_sidedata("encryption_info"):  # ISO/IEC 23001-7, and we have no key
                raise encrypted_error(file.path) from error
            report.fail("sound that can't be decoded", (packet.duration or 0) * tick)


def _discard_others(container: InputContainer, stream: av.AudioStream) -> None:
    """Let the demuxer skip over the picture, which is most of the file."""
    for other in container.streams:
        if other.index != stream.index and hasattr(other, "discard"):  # since PyAV 17
            other.discard = type(other.discard).all


def steady_frames(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, single stray stamps put right."""
    end: float | None = None
    held: Frame | None = None
    for frame in frames:
        if held is not None:
            held = _corrected(held, end, frame.stamp)
            end = None if held.stamp is None else held.stamp + held.duration
            yield held
        held = frame
    if held is not None:
        yield held


def _corrected(frame: Frame, end: float | None, following: float | None) -> Frame:
    if end is None or frame.stamp is None:
        return frame
    if not is_stray(end, frame.stamp, frame.duration, following):
        return frame
    return replace(frame, stamp=end)
