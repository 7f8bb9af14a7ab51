"""Frames → 16 kHz mono samples without holes, every one at its media time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from subvino.audio import SAMPLE_RATE, Samples
from subvino.media.continuity import Continuity
from subvino.media.frames import MIN_LOST, Frame, Report
from subvino.media.mixing import bounded, channel_weights, frame_planes, mix_down
from subvino.timeline import JITTER, Placement, Timeline

if TYPE_CHECKING:
    import av

CHUNK = 1 << 17
"""Samples a channel that are mixed and resampled at once: few calls, little memory."""


def placed_samples(
    frames: Iterator[Frame], duration: float | None, continuity: Continuity, report: Report
) -> Iterator[Samples]:
    """16 kHz mono pieces of any length that follow each other without holes from media time 0."""
    timeline = Timeline(duration)
    run: Run | None = None
    end = 0
    for frame in frames:
        placement = _place(frame, timeline, continuity, report)
        if placement.cut >= frame.duration:
            continue
        if run is None or not placement.contiguous or not run.takes(frame.frame):
            if run is not None:
                yield from run.finish()
                end = run.end
            run = Run(frame.frame, placement.start, max(end, _index(placement.start)))
            yield from silence(run.first - end)
        yield from run.write(frame.frame, placement.cut)
    if run is not None:
        yield from run.finish()


def _place(frame: Frame, timeline: Timeline, continuity: Continuity, report: Report) -> Placement:
    before, stamp, follows = timeline.position, frame.stamp, continuity.follows
    if frame.failing is not None:
        timeline.expect_loss()
        stamp = before + frame.failing if stamp is None else stamp
    elif stamp is not None and timeline.goes_back(stamp) and follows(report.span, frame.span):
        timeline.join(stamp)
        report.count("time stamps that jump", before)
    placement = timeline.place(stamp, frame.duration)
    if frame.failing is not None:
        report.lost += placement.silence
    if placement.silence > JITTER and before:
        report.gaps.append((before, placement.start))
        if frame.failing is None and continuity.is_broken(report.span, frame.span):
            report.lost += placement.silence
            report.count("sound is missing", before)
    skipped = report.seconds_in(continuity.hole(report.span, frame.span))
    if skipped > MIN_LOST:
        report.lost += skipped
        report.count("sound is missing", before)
    if placement.jumped:
        report.count("time stamps that jump", before)
    report.end, report.span = timeline.position, frame.span
    return placement


class Run:
    """Frames of one format that follow each other: mixed down and resampled as one signal.

    first: index of its first sample at 16 kHz; end: of the sample after the last given out.
    """

    def __init__(self, frame: av.AudioFrame, start: float, first: int) -> None:
        import av

        self.first = self.end = first
        self._start = start
        self._rate = frame.sample_rate
        self._format = _format(frame)
        self._weights = channel_weights([channel.name for channel in frame.layout.channels])
        self._fifo = av.AudioFifo()
        self._received = 0
        self._resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE)

    def takes(self, frame: av.AudioFrame) -> bool:
        """Whether the frame has the run's format."""
        return _format(frame) == self._format

    def write(self, frame: av.AudioFrame, cut: float) -> Iterator[Samples]:
        """Append a frame, `cut` seconds left off its front; gives what is ready."""
        frame.pts = None  # the queue would insist on unbroken stamps
        self._fifo.write(frame)
        n_cut = round(cut * self._rate)
        if n_cut:
            self._fifo.read(n_cut, partial=True)
        self._received += frame.samples - n_cut
        if self._fifo.samples >= CHUNK:
            yield self._resampled(self._fifo.read())

    def finish(self) -> Iterator[Samples]:
        """What is still inside; the run is then as long as its frames were."""
        yield self._resampled(self._fifo.read())
        room = max(0, _index(self._start + self._received / self._rate) - self.end)
        tail = self._flushed()[:room]
        self.end += room
        yield np.pad(tail, (0, room - len(tail)))

    def _resampled(self, frame: av.AudioFrame | None) -> Samples:
        if frame is None:
            return np.zeros(0, np.float32)
        mono = mix_down(frame_planes(frame), self._weights)
        samples = mono if self._rate == SAMPLE_RATE else self._push(_mono_frame(mono, self._rate))
        self.end += len(samples)
        return bounded(samples)

    def _flushed(self) -> Samples:
        if self._rate == SAMPLE_RATE or not self._received:
            return np.zeros(0, np.float32)
        return bounded(self._push(None))

    def _push(self, frame: av.AudioFrame | None) -> Samples:
        """Through FFmpeg's resampler, whose output sample 0 stands at input sample 0."""
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0), *pieces], dtype=np.float32)


def _format(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _index(time: float) -> int:
    return round(time * SAMPLE_RATE)


def _mono_frame(samples: Samples, rate: int) -> av.AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def silence(n: int) -> Iterator[Samples]:
    """Zeros in pieces, since a gap may last for hours."""
    for first in range(0, n, CHUNK):
        yield np.zeros(min(CHUNK, n - first), np.float32)
