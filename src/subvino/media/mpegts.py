"""MPEG-TS: whether a file is packets to its end."""

from __future__ import annotations

from subvino.containers import Seekable

_SYNC = 0x47
_PERIODS = (188, 192, 204)
"""Bytes from one sync byte to the next: plain, with a time code (M2TS), with parity."""
_N_PACKETS = 6


def ends_in_packets(file: Seekable, size: int) -> bool:
    """Whether some sync bytes stand where they should in the last packets."""
    file.seek(max(0, size - (_N_PACKETS + 1) * max(_PERIODS)))
    tail = file.read(size)
    return any(_has_packets(tail[-(_N_PACKETS + 1) * period :], period) for period in _PERIODS)


def _has_packets(data: bytes, period: int) -> bool:
    return any(
        all(byte == _SYNC for byte in data[first::period])
        for first in range(min(period, len(data)))
    )
