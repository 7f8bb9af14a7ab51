"""An MP4's index, the movie box: whether it agrees with itself on how long a track is."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from subvino.containers import Box, Seekable, inner_boxes, outer_boxes

_PADDING = 0.5
"""Seconds that the header may leave out of what the table has: an encoder's padding at both ends
is at most 0.3 s (HE-AAC at 22 kHz)."""

_MAX_ENTRIES = 1 << 20
"""Of the table that are looked at; one is for all samples in a row that last equally long."""


def contradicted_seconds(file: Seekable, track: int) -> float | None:
    """How long a track's samples last, where the header of its media says less; otherwise None.

    Both say the same in a whole file (ISO/IEC 14496-12, 8.4.2.3), also where an edit list shows
    only a part of the samples. FFmpeg stops at the shorter one.

    track: its id in the movie's header.
    """
    movie = _child(outer_boxes(file), b"moov")
    for box in inner_boxes(file, movie) if movie else ():
        media = _child(inner_boxes(file, box), b"mdia")
        if media and _track_id(file, box) == track:
            return _contradicted(*_media_header(file, media), _table_ticks(file, media))
    return None


def _contradicted(rate: int, ticks: int, table_ticks: int) -> float | None:
    """rate: ticks a second; 0 ticks: it doesn't say."""
    is_less = 0 < ticks < table_ticks - _PADDING * rate
    return table_ticks / rate if rate and is_less else None


def _track_id(file: Seekable, track: Box) -> int:
    """What the track header (8.3.2) says; its version decides how long the times before it are."""
    data = _contents(file, _child(inner_boxes(file, track), b"tkhd"), 24)
    at = 20 if data[:1] == b"\1" else 12
    return int.from_bytes(data[at : at + 4], "big")


def _media_header(file: Seekable, media: Box) -> tuple[int, int]:
    """Ticks a second, and how many the media lasts (8.4.2)."""
    data = _contents(file, _child(inner_boxes(file, media), b"mdhd"), 32)
    at, n = (20, 8) if data[:1] == b"\1" else (12, 4)
    rate, ticks = data[at : at + 4], data[at + 4 : at + 4 + n]
    return int.from_bytes(rate, "big"), int.from_bytes(ticks, "big")


def _table_ticks(file: Seekable, media: Box) -> int:
    """Ticks that all samples last, by the time-to-sample table (8.6.1.2)."""
    box: Box | None = media
    for kind in (b"minf", b"stbl", b"stts"):
        box = box and _child(inner_boxes(file, box), kind)
    table = _contents(file, box, 8 + 8 * _MAX_ENTRIES)[8:]
    entries = struct.iter_unpack(">II", table[: len(table) // 8 * 8])
    return sum(n_samples * ticks for n_samples, ticks in entries)


def _child(boxes: Iterator[Box], kind: bytes) -> Box | None:
    return next((box for box in boxes if box.kind == kind), None)


def _contents(file: Seekable, box: Box | None, n: int) -> bytes:
    """At most n bytes of what is in a box."""
    if box is None:
        return b""
    file.seek(box.start + 8)
    return file.read(min(n, box.end - box.start - 8))
