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

_WAKE = 0.1
"""Seconds after which a thread that waits for room looks whether anybody still wants more."""


class Ahead(Generic[T]):
    """The items of an iterable, up to `n_items` of them made beforehand; to be gone through once.

    What making them raises is raised where they are taken. `close` ends the thread.
    """

    def __init__(self, items: Iterable[T], n_items: int) -> None:
        """Begin at once."""
        self._queue: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(n_items)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(items,), daemon=True)
        self._thread.start()

    def _make(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if not self._put("item", item):
                    return
            self._put("end", None)
        except BaseException as error:  # noqa: BLE001  raised again where it is noticed
            self._put("error", error)

    def _put(self, kind: str, value: T | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put((kind, value), timeout=_WAKE)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        """The items, in order."""
        while True:
            kind, value = self._queue.get()
            if kind == "item":
                yield value  # type: ignore[misc]
            elif isinstance(value, BaseException):
                raise value
            else:
                return

    def close(self) -> bool:
        """Make no more; whether what was being made has come to its end."""
        self._closed.set()
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()
