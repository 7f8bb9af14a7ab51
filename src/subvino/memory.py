"""How much memory this process has taken, and how it gives back what it has freed.

Floor 1 of the road.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path

_STATUS = Path("/proc/self/status")

_LARGE_BLOCK = 4 * 2**20
"""Bytes. From 1 MiB on, blocks come and go at every step, which then takes 5 % longer."""
_M_MMAP_THRESHOLD = -3
"""Of `mallopt` in glibc's malloc.h."""


def peak_memory() -> int | None:
    """Bytes that were resident at most since the process began; None where nobody tells.

    On Linux from /proc: what `getrusage` says there includes the process that started this one.
    """
    if _STATUS.is_file():
        return _linux_peak(_STATUS.read_text(encoding="ascii", errors="replace"))
    if sys.platform == "win32":  # has no `resource`
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) * (1 if sys.platform == "darwin" else 1024)


def _linux_peak(status: str) -> int | None:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    return None


def keep_heap_small() -> None:
    """From here on give large blocks back to the system as soon as they are freed.

    By itself glibc takes blocks of up to 32 MiB from the heap once some as large were freed, and
    caches that come and go in many sizes leave holes in it: ten minutes of sound heard with beams
    left 1.3 GB behind, and 0.95 GB so. Nothing happens with other C libraries.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def trim_heap() -> None:
    """Give the system back what is free between smaller blocks; a few milliseconds, with glibc."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library this process runs with, if it has these knobs."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
