"""Sound and its stretches: what flows from media to windows and on to the recognizer.

Floor 0 of the road. All times are seconds in media time: the time a player shows, where 0 is the
start of the presentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Hz. Whisper's log-mel front end and Silero's detector are both trained at this rate."""

MAX_WINDOW_SAMPLES = 30 * SAMPLE_RATE
"""Whisper's encoder hears 30 s at once (Radford et al. 2022, section 2.2)."""

MAX_DRIFT = 0.016
"""Seconds by which a block's time may differ from where the sound before it ended and still count
as going on from there: timestamps of containers are coarse (1 ms in Matroska, 11 ms in FLV)."""

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
        """Refuse samples of another shape or type."""
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


def to_position(time: float) -> int:
    """Media time as a whole number of samples since media time 0."""
    return round(time * SAMPLE_RATE)


def even_blocks(blocks: Iterable[Audio], n_samples: int) -> Iterator[Audio]:
    """The same sound in blocks of `n_samples`; the last block of a contiguous run may be shorter.

    A run ends where the next block does not start (within `MAX_DRIFT`) at the run's end. Starts are
    whole positions (see `to_position`), so within a run each block starts exactly where the one
    before it ends, and what follows depends on the sound alone and never on how it was cut up.
    """
    rest: Audio | None = None
    for block in blocks:
        if rest is not None and abs(block.start - rest.end) > MAX_DRIFT:
            if len(rest.samples):
                yield rest
            rest = None
        position = to_position(block.start if rest is None else rest.start)
        samples = block.samples if rest is None else np.concatenate([rest.samples, block.samples])
        n_whole = len(samples) - len(samples) % n_samples
        for offset in range(0, n_whole, n_samples):
            yield Audio(samples[offset : offset + n_samples], (position + offset) / SAMPLE_RATE)
        rest = Audio(samples[n_whole:], (position + n_whole) / SAMPLE_RATE)
    if rest is not None and len(rest.samples):
        yield rest


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch in which somebody speaks, seconds in media time, `start < end`."""

    start: float
    end: float

    def __post_init__(self) -> None:
        """Refuse an empty stretch."""
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
        """Refuse a window without spans, or with spans that overlap."""
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


@dataclass(frozen=True, slots=True)
class DetectedAudio:
    """A block of sound, passed on, and what has become certain about the speech so far.

    Blocks come in the order of the sound; the last of a contiguous run may hold no samples.

    speech: what this block made certain, in order. It may lie before the block (a detector looks
        ahead), never after its end. A long stretch is told piece by piece: segments that touch are
        one stretch.
    settled: media time, seconds, at most the block's end; all speech told later in the same run
        starts here or after, so the sound before it can be let go.
    """

    audio: Audio
    speech: tuple[SpeechSegment, ...]
    settled: float


@dataclass(frozen=True, slots=True)
class WindowSound:
    """A window and the samples of its spans laid end to end: float32 (n,), n <= 480,000."""

    window: Window
    samples: Samples

    def __post_init__(self) -> None:
        """Refuse more samples than a window holds, or other than its spans'."""
        n_samples = len(self.samples)
        if n_samples > MAX_WINDOW_SAMPLES:
            raise ValueError(
                f"a window holds at most {MAX_WINDOW_SAMPLES} samples, not {n_samples}"
            )
        if abs(n_samples - self.window.duration * SAMPLE_RATE) > len(self.window.spans):
            raise ValueError(f"{n_samples} samples do not fit a window of {self.window.duration} s")

    @property
    def digest(self) -> str:
        """32 hex digits of the window and all its samples."""
        digest = hashlib.blake2b(repr(astuple(self.window)).encode("ascii"), digest_size=16)
        digest.update(self.samples.tobytes())
        return digest.hexdigest()
