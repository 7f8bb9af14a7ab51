"""Reading ahead: what an iterator gives, made in a thread while the last of it is worked on.

Floor 0 of the road.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait for a thread that was told to end: a network share may never answer."""


class Ahead(Generic[T]):
    """The items of an iterable, up to `n_items` of them made beforehand; to be gone through once.

    What making them raises is raised where they are taken. `close` ends the thread.
    """

    def __init__(self, items: Iterable[T], n_items: int) -> None:
        """Begin at once."""
        self._queue: queue.SimpleQueue[tuple[str, T | BaseException | None]] = queue.SimpleQueue()
        self._room = threading.Semaphore(n_items)
        self._closed = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._make, args=(items,), daemon=True)
        self._thread.start()

    def _make(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                self._room.acquire()
                if self._closed.is_set():
                    return
                self._queue.put(("item", item))
            self._queue.put(("end", None))
        except BaseException as error:  # noqa: BLE001  raised again where it is noticed
            self._queue.put(("error", error))

    def is_ready(self) -> bool:
        """Whether the next item, or the end, comes without waiting."""
        return self._is_over or not self._queue.empty()

    def __iter__(self) -> Iterator[T]:
        """The items, in order."""
        while True:
            kind, value = self._queue.get()
            if kind == "item":
                self._room.release()
                yield value  # type: ignore[misc]
                continue
            self._is_over = True
            if isinstance(value, BaseException):
                raise value
            return

    def close(self) -> bool:
        """Make no more; whether what was being made has come to its end."""
        self._closed.set()
        self._room.release()
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()
