"""Where each decoded frame of sound belongs in media time.

Floor 0 of the road, pure. A decoder hands out frames with time stamps that are nearly right:
rounded to a millisecond (Matroska), jittering, drifting against the sample count, with holes
where packets were lost, overlapping where recordings were spliced, or starting again from zero
where files were joined. `Timeline` turns them into one unbroken line: for every frame, how much
silence goes before it, or how much of it to cut off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

JITTER = 0.1
"""Seconds a single time stamp may be off before it is believed to be a real gap or overlap;
the limit at which FFmpeg's aresample corrects at once (min_hard_comp)."""

EXACT = 0.005
"""The same right after a loss, where a gap is expected: the worst rounding of the containers."""

DRIFT = 0.02
"""Seconds that the stamps may all differ from the sample count for `DRIFT_WINDOW` seconds."""

DRIFT_WINDOW = 10.0
"""Seconds."""

OVERLAP = 1.0
"""Seconds. Stamps that go back further than this start anew (joined files, a counter that
wrapped): cutting would throw sound away, so what follows is joined on."""

SLOW = 0.05
"""Part of the time by which stamps may lag behind the sound and be followed. No clock is so far
off: beyond it they stand still or count in a wrong unit, and the sound would be cut away."""

REPEAT = 2.0
"""Seconds. Stamps that go back again so soon are noise: no recording is spliced every second."""

MAX_SILENCE = 12 * 3600.0
"""Seconds of silence that one file may ask for in all: a broken stamp must not mean days."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame goes.

    start: media time of the first sample kept, seconds.
    silence: seconds to be filled before it.
    cut: seconds to leave off its front, at most its duration.
    jumped: the stamps broke off here and were joined on.
    """

    start: float
    silence: float = 0.0
    cut: float = 0.0
    jumped: bool = False

    @property
    def contiguous(self) -> bool:
        """The frame follows the one before sample for sample."""
        return self.silence == 0.0 and self.cut == 0.0


@dataclass(slots=True)
class _Drift:
    """Watches how far the stamps stray from the sample count over `DRIFT_WINDOW` seconds."""

    seconds: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def steady(self, deviation: float, duration: float) -> float:
        """What all stamps of a full window agree on, beyond `DRIFT`; otherwise 0."""
        self.seconds += duration
        self.low, self.high = min(self.low, deviation), max(self.high, deviation)
        if self.seconds < DRIFT_WINDOW:
            return 0.0
        low, high = self.low, self.high
        self.seconds, self.low, self.high = 0.0, math.inf, -math.inf
        return low if low > DRIFT else high if high < -DRIFT else 0.0


@dataclass(slots=True)
class Timeline:
    """Places frames one after the other; `position` is where the next one would go, in seconds.

    duration: of the media, where it is known; a gap that would end far behind it is no gap.
    """

    duration: float | None = None
    position: float = 0.0
    silence: float = 0.0
    _shift: float = 0.0
    _tolerance: float = 0.0  # the first frame is placed exactly
    _drift: _Drift = field(default_factory=_Drift)
    _step_back: float = 0.0  # seconds by which the stamp lies before the end of the frame before
    _before: tuple[float, float] = (-math.inf, 0.0)  # stamp and duration of the frame before
    _on_time: float = 0.0  # position at which the stamps last agreed with the sound
    _cut_end: float = -math.inf  # position behind the last overlap

    def expect_loss(self) -> None:
        """Something could not be decoded here: take the next stamp at its word."""
        self._tolerance = min(self._tolerance, EXACT)

    def goes_back(self, stamp: float) -> bool:
        """Whether the stamp lies in the midst of the sound that was placed already."""
        return self.position > 0.0 and self._deviation(stamp) < -JITTER

    def join(self, stamp: float) -> None:
        """Let the frame with this stamp, and those behind it, go on from here."""
        self._shift = self.position - stamp

    def place(self, stamp: float | None, duration: float) -> Placement:
        """The place of a frame that claims to start at `stamp` (None: it doesn't say)."""
        deviation = 0.0 if stamp is None else self._deviation(stamp)
        self._step_back = 0.0 if stamp is None else self._before[0] + self._before[1] - stamp
        if deviation > -JITTER / 4:
            self._on_time = self.position
        placement = self._decide(deviation, duration)
        self.silence += placement.silence
        self.position = placement.start + duration - placement.cut
        if placement.cut < duration:
            self._tolerance = JITTER
        if not placement.contiguous or placement.jumped:
            self._drift = _Drift()
            self._on_time = self.position
        if stamp is not None:
            self._before = stamp, duration
        return placement

    def _deviation(self, stamp: float) -> float:
        """Seconds by which the stamp is ahead of the position."""
        if self._shift and abs(stamp - self.position) <= JITTER:
            self._shift = 0.0  # the stamps came back to where they would have been
        return stamp + self._shift - self.position

    def _decide(self, deviation: float, duration: float) -> Placement:
        if deviation > self._tolerance:
            return self._after_gap(deviation)
        if deviation < -OVERLAP:
            return self._joined(deviation)
        if deviation < -self._tolerance:
            return self._overlapping(-deviation, duration)
        drift = self._drift.steady(deviation, duration)
        if drift > 0:
            return self._after_gap(drift)
        return self._cut(-drift, duration) if drift < 0 else Placement(self.position)

    def _after_gap(self, gap: float) -> Placement:
        end = math.inf if self.duration is None else self.duration + DRIFT_WINDOW
        if self.position + gap > end or self.silence + gap > MAX_SILENCE:
            return self._joined(gap)
        return Placement(self.position + gap, silence=gap)

    def _overlapping(self, overlap: float, duration: float) -> Placement:
        if self._is_noise(overlap, duration):
            return self._joined(-overlap)
        return self._cut(overlap, duration)

    def _is_noise(self, overlap: float, duration: float) -> bool:
        """Whether stamps are just too slow, or jump about, where a splice goes back once."""
        if self._tolerance == 0.0:  # in the midst of a cut, or at the very first frame
            return self._step_back > duration / 2
        if self._step_back > overlap / 2:
            return self.position - self._cut_end < REPEAT
        return overlap - JITTER / 4 > SLOW * (self.position - self._on_time)

    def _cut(self, overlap: float, duration: float) -> Placement:
        if overlap > duration:
            self._tolerance = 0.0  # go on cutting, to the sample, with the frames that follow
        cut = min(overlap, duration)
        if self.position:  # before media time 0 there may be padding, which is no splice
            self._cut_end = self.position + duration - cut
        return Placement(self.position, cut=cut)

    def _joined(self, deviation: float) -> Placement:
        self._shift -= deviation
        return Placement(self.position, jumped=True)


def is_stray(end: float, stamp: float, duration: float, following: float | None) -> bool:
    """Whether one stamp is wrong by itself: the frame after it goes on from `end`, not from it.

    end: where the frame before ended, by its own stamp.
    stamp, duration: of the frame in question.
    following: the stamp of the next frame, None where there is none.
    """
    if following is None or abs(stamp - end) <= JITTER:
        return False
    return abs(following - (end + duration)) <= JITTER < abs(following - (stamp + duration))
