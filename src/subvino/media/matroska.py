"""Matroska's elements: whether they lead from one block to another without damage."""

from __future__ import annotations

from dataclasses import dataclass

from subvino.containers import Seekable

_MAX_STEPS = 100_000
"""Elements that are looked at between two packets; so many picture blocks are an hour."""

_BLOCKS = frozenset({0xA3, 0xA1})
_ENTERED = frozenset({0x18538067, 0x1F43B675, 0xA0})
"""Segment, Cluster, BlockGroup: what is inside is looked at."""
_PASSED = frozenset(
    {0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1254C367, 0x1941A469, 0x1043A770}
    | {0xE7, 0xA7, 0xAB, 0x5854, 0xAF}
    | {0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8}
    | {0xEC, 0xBF}
)
"""All other elements that may stand on top, in a Segment, in a Cluster, in a BlockGroup, or
anywhere (RFC 9559, section 5.1)."""


def leads(file: Seekable, size: int, after: int | None, before: int | None, read: int = 0) -> bool:
    """Whether the elements lead from a block's contents to the next block of its track.

    after None: from the start of the file; before None: to the end, and no such block comes but
    those up to `read`, of which FFmpeg knows.
    """
    at = 0 if after is None else _block_end(file, after)
    block = before if after is None else after
    own = None if block is None else _track(file, block)
    for _ in range(_MAX_STEPS):
        if at is None or at == size:
            return at is not None and before is None
        if before is not None and at > before:
            return False
        element = _element(file, at)
        if element is None or element.end > size:
            return False
        if element.kind in _BLOCKS and element.contents == before:
            return True
        is_unread = element.kind in _BLOCKS and element.contents > read
        if is_unread and _track(file, element.contents) == own:
            return False  # it was there, and FFmpeg made nothing of it
        at = element.contents if element.kind in _ENTERED else element.end
    return True


def _track(file: Seekable, contents: int) -> int | None:
    """The track of the block whose contents begin there."""
    file.seek(contents)
    number = _number(file.read(8), keep_marker=False)
    return None if number is None else number[0]


def _block_end(file: Seekable, contents: int) -> int | None:
    """The end of the block whose contents FFmpeg found there."""
    file.seek(max(0, contents - 9))
    header = file.read(min(9, contents))
    for length in range(1, len(header)):
        size = _number(header[-length:], keep_marker=False)
        if size and size[1] == length and header[-length - 1] in _BLOCKS:
            return contents + size[0]
    return None


def _element(file: Seekable, at: int) -> _Element | None:
    file.seek(at)
    header = file.read(12)
    kind = _number(header[:4], keep_marker=True)
    if kind is None or kind[0] not in _ENTERED | _PASSED | _BLOCKS:
        return None
    size = _number(header[kind[1] :], keep_marker=False)
    if size is None:
        return None
    contents = at + kind[1] + size[1]
    is_unknown = size[0] == (1 << 7 * size[1]) - 1
    if is_unknown and kind[0] not in _ENTERED:
        return None
    return _Element(kind[0], contents, contents if is_unknown else contents + size[0])


@dataclass(frozen=True, slots=True)
class _Element:
    """An EBML element: its id, where its contents begin and where it ends."""

    kind: int
    contents: int
    end: int


def _number(data: bytes, keep_marker: bool) -> tuple[int, int] | None:
    """A variable-length number of RFC 8794, section 4, and its length; ids keep their marker."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    if length > len(data):
        return None
    value = int.from_bytes(data[:length], "big")
    return (value if keep_marker else value & (1 << 7 * length) - 1), length
