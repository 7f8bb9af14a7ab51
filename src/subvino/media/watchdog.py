"""A deadline on progress: work that stands still is given up, and who waits for it goes on.

A damaged file may send a demuxer round in circles, and a disk on a network may never answer. Such
a call never returns and can't be called off, so it runs in a thread of its own, which is left
behind when it stalls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Generic, TypeVar

STALL_SECONDS = 60.0
"""Without a packet, a frame or a byte that was not read before. A sleeping disk takes 10 s to wake;
a decoder takes milliseconds a packet."""

_SLICE = 0.5
"""Seconds between two looks. A computer that slept meanwhile has missed one look, not an hour."""

_REGION = 1 << 18
"""Bytes. Reading anew counts as progress once a region, so that no circle through a file is one."""

Result = TypeVar("Result")


class StalledError(Exception):
    """The work made no progress for `STALL_SECONDS`; whoever gets it says of what."""


@dataclass(slots=True)
class Watchdog:
    """Runs calls one at a time, each as long as something goes on in it.

    clean_up: called when a call that was given up comes back after all.
    stalled: a call was given up; what it worked on is still in use and must not be touched.
    """

    clean_up: Callable[[], None]
    stalled: bool = False
    _beats: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def beat(self) -> None:
        """Tell that something has gone on."""
        self._beats += 1

    def run(self, work: Callable[[], Result]) -> Result:
        """What the work gives or raises. Raises StalledError where it stands still."""
        if self.stalled:
            raise StalledError
        call = _Call(work, self)
        threading.Thread(target=call.run, name="media", daemon=True).start()
        idle, seen = 0.0, self._beats
        while not call.done.wait(_SLICE):
            idle = idle + _SLICE if self._beats == seen else 0.0
            seen = self._beats
            if idle >= STALL_SECONDS:
                self.stalled = True
                raise StalledError
        return call.result()


class _Call(Generic[Result]):
    """One piece of work in a thread; an interrupted one is waited for by the next."""

    def __init__(self, work: Callable[[], Result], watchdog: Watchdog) -> None:
        self._work, self._watchdog = work, watchdog
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """In the thread."""
        try:
            with self._watchdog.turn:
                self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            self._error = error
        finally:
            self.done.set()
        if self._watchdog.stalled:
            self._results.clear()
            self._watchdog.clean_up()

    def result(self) -> Result:
        """When it is done."""
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # it holds this frame, and the frame would hold it
        return self._results[0]


class WatchedFile:
    """A file for FFmpeg: tells a watchdog of every region read for the first time.

    size: bytes that are shown of it; None: all.
    """

    def __init__(self, file: BinaryIO, watchdog: Watchdog, size: int | None = None) -> None:
        self.name = file.name
        self._file, self._watchdog, self._size = file, watchdog, size
        self._seen: set[int] = set()

    def read(self, n: int) -> bytes:
        """At most n bytes, none at the end."""
        position = self._file.tell()
        if self._size is not None:
            n = max(0, min(n, self._size - position))
        data = self._file.read(n)
        region = position // _REGION
        if data and region not in self._seen:
            self._seen.add(region)
            self._watchdog.beat()
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset, from the start (0), from here (1) or from the end (2)."""
        if whence == 2 and self._size is not None:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()
