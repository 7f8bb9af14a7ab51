"""Telling those who wait that some job has changed, in threads and in the event loop.

Floor 5 of the road. There is one count for all jobs: who wakes looks whether it concerns it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Changes:
    """A count that goes up, and ways to wait for that."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def count(self) -> int:
        """How many changes there were."""
        return self._count

    def tell(self) -> None:
        """Wake all who wait."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()
            waiters, self._waiters = self._waiters, set()
        for loop, event in waiters:
            with suppress(RuntimeError):  # the loop has ended, and with it who waited
                loop.call_soon_threadsafe(event.set)

    def wait(self, seen: int, timeout: float) -> None:
        """Until the count is no longer `seen`, or seconds have passed; for threads."""
        with self._condition:
            self._condition.wait_for(lambda: self._count != seen, timeout)

    async def wait_async(self, seen: int, timeout: float) -> None:
        """Until the count is no longer `seen`, or seconds have passed; for the event loop."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._condition:
            if self._count != seen:
                return
            self._waiters.add(waiter)
        try:
            # Not TimeoutError, which is another class in Python 3.10.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(waiter[1].wait(), timeout)
        finally:
            with self._condition:
                self._waiters.discard(waiter)
