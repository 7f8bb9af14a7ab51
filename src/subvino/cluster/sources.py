"""Media whose windows workers find, or the driver for them.

A worker reads what it finds at a path, if that is the same file; what it does not find is read by
the driver, whose sound goes to the workers. So shared storage is used where there is any, and
nothing need be said about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from subvino.audio import Samples, WindowSound
from subvino.clip import heard_seconds
from subvino.cluster.pool import Pool, Reading, Seat
from subvino.cluster.spans import SPAN_WINDOWS, Media, Span, make_span
from subvino.errors import DamagedMediaError
from subvino.pipeline import MediaSource, OnSound

SPANS_AHEAD = 2
"""Of a file that wait for workers."""


@dataclass(frozen=True, slots=True)
class HeldSpan:
    """A span, and Ray's reference to its samples.

    media: where it can be read again; None: the driver keeps it. seat: who read it.
    """

    span: Span
    sounds: Any
    media: Media | None = None
    seat: Seat | None = None


class DistantSound(WindowSound):
    """A window whose samples lie on some machine of the cluster, and come if they are asked for.

    held, place: the span that it belongs to, and where it stands in there.
    """

    __slots__ = ("held", "place")

    held: HeldSpan
    place: int

    def __init__(self, held: HeldSpan, place: int) -> None:
        object.__setattr__(self, "window", held.span.windows[place])
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "place", place)

    @property
    def samples(self) -> Samples:
        """From wherever they lie."""
        import ray

        samples: Samples = ray.get(self.held.sounds)[self.place]
        return samples

    @property
    def digest(self) -> str:
        """As it was when they were read."""
        return self.held.span.digests[self.place]

    @property
    def ends_span(self) -> bool:
        """Whether it is the last window of its span."""
        return self.place == len(self.held.span.windows) - 1


@dataclass(frozen=True, slots=True)
class Known:
    """What the driver knows of media before a worker reads them; see `pipeline.MediaSource`."""

    media: str
    parts: str
    duration: float | None
    digest: str


class ClusterSource:
    """The windows of a media file, as `DistantSound`; see `pipeline.MediaSource`."""

    n_ahead = SPANS_AHEAD * SPAN_WINDOWS

    def __init__(
        self,
        pool: Pool,
        media: Media,
        known: Known,
        open_here: Callable[[], MediaSource] | None,
        on_sound: OnSound | None,
    ) -> None:
        """open_here: reads the media on this machine; None where that can't be."""
        self._pool, self._media, self._known = pool, media, known
        self._open_here, self._on_sound = open_here, on_sound
        self._here: MediaSource | None = None
        self._last: Span | None = None
        self._seconds = 0.0
        self.media, self.parts = known.media, known.parts

    @property
    def duration(self) -> float | None:
        """See `MediaSource`; so are the others."""
        return self._known.duration or (self._last.duration if self._last else None)

    def digest(self) -> str:
        """Of the file, or of what its storage says of it."""
        return self._known.digest

    def error(self) -> DamagedMediaError | None:
        """What was lost."""
        if self._here is not None:
            return self._here.error()
        damage = None if self._last is None else self._last.damage
        error = None if damage is None else damage.error()
        return error if isinstance(error, DamagedMediaError) else None

    def close(self) -> None:
        """Close the file, where it is open here."""
        if self._here is not None:
            self._here.close()

    def windows(self) -> Iterator[WindowSound]:
        """The windows of speech."""
        for held in self._spans():
            for place in range(len(held.span.windows)):
                yield DistantSound(held, place)

    def _spans(self) -> Iterator[HeldSpan]:
        seat: Seat | None = None
        n_read = 0
        try:
            while self._last is None or not self._last.is_last:
                reading = Reading(self._media, n_read, seat)
                span: Span | None = self._pool.ask(reading).result()
                if span is None:
                    yield from self._spans_here(n_read)
                    return
                self._note(span)
                seat, n_read = reading.seat, n_read + len(span.windows)
                yield HeldSpan(span, reading.sounds, self._media, seat)
        finally:
            self._pool.end_reading(self._media, seat)

    def _note(self, span: Span) -> None:
        self._last = span
        if self._on_sound is not None and span.windows:
            seconds = heard_seconds(self._media.clips, span.windows[-1].end)
            self._on_sound(max(seconds - self._seconds, 0.0))
            self._seconds = seconds

    def _spans_here(self, n_read: int) -> Iterator[HeldSpan]:
        """The spans behind `n_read` windows; their samples are put where workers get them."""
        import ray

        assert self._open_here is not None, "workers fetch it or fail"  # noqa: S101 - our own bug
        self._here = self._open_here()
        sounds = islice(self._here.windows(), n_read, None)
        while group := list(islice(sounds, SPAN_WINDOWS)):
            span = make_span(group, n_read, self.duration)
            n_read += len(group)
            yield HeldSpan(span, ray.put([sound.samples for sound in group]))
