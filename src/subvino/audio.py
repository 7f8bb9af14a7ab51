"""Sound and its stretches: what flows from media to windows.

Floor 0 of the road. All times are seconds in media time: the time a player shows, where 0 is the
start of the presentation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Hz. Whisper's log-mel front end and Silero's detector are both trained at this rate."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Audio:
    """A stretch of mono sound at `SAMPLE_RATE`.

    samples: float32 (n,), in [-1, 1].
    start: media time of the first sample, seconds.
    """

    samples: Samples
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(
                f"samples must be float32 (n,), not {self.samples.dtype} {self.samples.shape}"
            )

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Media time just after the last sample, seconds."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch in which somebody speaks, seconds in media time, `start < end`."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"start {self.start} must be before end {self.end}")

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Window:
    """What the network hears at once: speech stretches laid end to end, at most 30 s in all.

    spans: the stretches of media that are heard, in order, not overlapping; window time is their
        concatenation, so a long pause between two of them takes no room in the window.
    speech: the parts of the spans in which somebody speaks (the rest is padding around them).
    """

    spans: tuple[SpeechSegment, ...]
    speech: tuple[SpeechSegment, ...] = ()

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("a window has at least one span")
        for before, after in zip(self.spans, self.spans[1:], strict=False):
            if after.start < before.end:
                raise ValueError(f"spans overlap: {before} and {after}")

    @property
    def start(self) -> float:
        """Media time of the first span's start, seconds."""
        return self.spans[0].start

    @property
    def end(self) -> float:
        """Media time of the last span's end, seconds."""
        return self.spans[-1].end

    @property
    def duration(self) -> float:
        """Seconds of sound in the window, pauses left out not counted."""
        return sum(span.duration for span in self.spans)
