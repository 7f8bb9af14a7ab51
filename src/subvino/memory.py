"""How much memory this process has taken.

Floor 1 of the road; asked by whoever measures.
"""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


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
