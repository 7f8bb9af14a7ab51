"""Fragments of an MP4: whether more of them hold sound than FFmpeg has read."""

from __future__ import annotations

from subvino.containers import Box, Seekable, outer_boxes

_MAX_INDEX = 1 << 22
"""Bytes of one fragment's index that are looked at."""


def go_on(file: Seekable, size: int, start: int, track: int) -> bool:
    """Whether a fragment behind an offset has a part for a track, or no fragment can be made out.

    track: its id in the movie's header.
    """
    boxes = list(outer_boxes(file))
    if not any(box.kind == b"moof" for box in boxes):
        return False
    return boxes[-1].end != size or count(file, start, size, track) > 0


def count(file: Seekable, start: int, end: int, track: int) -> int:
    """How many fragments with a part for a track begin between two offsets.

    A part that doesn't say for which track it is may be the one, and FFmpeg left it out.
    """
    boxes = (box for box in outer_boxes(file) if box.kind == b"moof" and start <= box.start < end)
    return sum(_may_have_track(file, box, track) for box in boxes)


def _may_have_track(file: Seekable, box: Box, track: int) -> bool:
    """Whether a track fragment's header (ISO/IEC 14496-12, 8.8.7) names the track, or is lost."""
    file.seek(box.start)
    data = file.read(min(box.end - box.start, _MAX_INDEX))
    if data.count(b"traf") > data.count(b"tfhd"):
        return True
    at = data.find(b"tfhd")
    while at >= 0:
        if int.from_bytes(data[at + 8 : at + 12], "big") == track:
            return True
        at = data.find(b"tfhd", at + 4)
    return False
