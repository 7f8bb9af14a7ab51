"""What the first bytes of a media file say about it, beside what FFmpeg tells.

Floor 0 of the road: bytes in, facts out. FFmpeg reports the length of a file that was cut
off as if it had always been that short; the header still knows what it was meant to be.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Seekable(Protocol):
    """What of a file is needed to look into it."""

    def read(self, n: int, /) -> bytes: ...  # noqa: D102

    def seek(self, offset: int, whence: int = 0, /) -> int: ...  # noqa: D102

    def tell(self) -> int: ...  # noqa: D102


HEAD_SIZE = 1 << 16
"""Bytes from a file's start that these functions want."""

_SIGNATURES = (
    (4, b"ftyp", "MP4"),
    (4, b"moov", "MP4"),
    (4, b"mdat", "MP4"),
    (4, b"wide", "MP4"),
    (0, b"RIFF", "RIFF (WAV or AVI)"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (0, b"FLV", "FLV"),
)
"""(offset, bytes, container)."""

_MAX_BOXES = 1_000_000
"""Of an MP4's boxes on one level that are looked at; a day in fragments of a second has 173,000."""

_EBML_ID = 0x1A45DFA3
_SEGMENT_ID = 0x18538067


def container_signature(head: bytes) -> str | None:
    """The container that the first bytes announce, however broken what follows is."""
    for offset, signature, name in _SIGNATURES:
        if head.startswith(signature, offset):
            return name
    return None


def declared_size(head: bytes) -> int | None:
    """Bytes the file should have by its own header (RIFF, Matroska); None where it doesn't say."""
    if head.startswith(b"RIFF"):
        return _riff_size(head)
    if head.startswith(_EBML_ID.to_bytes(4, "big")):
        return _matroska_size(head)
    return None


def has_sample_count(head: bytes) -> bool:
    """Whether an MP3's or FLAC's header counts its samples; otherwise FFmpeg guesses a duration."""
    if head.startswith(b"fLaC"):
        # RFC 9639, 8.2: 36 bits behind block sizes, frame sizes, rate, channels and bit depth
        return int.from_bytes(head[18:26], "big") & (1 << 36) - 1 > 0
    frame = _after_id3(head)[:512]
    return any(tag in frame for tag in (b"Xing", b"Info", b"VBRI"))


def _riff_size(head: bytes) -> int | None:
    """8 bytes of chunk header, then as many as it says; 0 and all ones mean a live recording."""
    size = int.from_bytes(head[4:8], "little")
    return None if size in (0, 0xFFFFFFFF) else 8 + size


def _matroska_size(head: bytes) -> int | None:
    """RFC 8794: an EBML header element, then the segment element with all the rest."""
    header_size, position = _ebml_size(head, 4)
    if header_size is None:
        return None
    position += header_size
    if head[position : position + 4] != _SEGMENT_ID.to_bytes(4, "big"):
        return None
    segment_size, position = _ebml_size(head, position + 4)
    return None if segment_size is None else position + segment_size


def _ebml_size(data: bytes, position: int) -> tuple[int | None, int]:
    """A variable-length size and the position behind it; None for the reserved "unknown"."""
    first = data[position] if position < len(data) else 0
    if not first:
        return None, position
    length = 9 - first.bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(data[position : position + length], "big") & unknown
    return None if value == unknown else value, position + length


def _after_id3(head: bytes) -> bytes:
    """The bytes behind an ID3v2 tag, whose size is written with 7 bits in a byte."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return head
    size = sum(byte << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
    return head[10 + size :]


# --- where a file breaks off


def is_broken_off(file: Seekable) -> bool:
    """Whether the file's own structure (MP4 boxes, Ogg pages) goes on behind its end."""
    file.seek(0)
    head = file.read(8)
    if head.startswith(b"OggS"):
        return not _ends_in_last_page(_tail(file))
    if container_signature(head) != "MP4":
        return False
    boxes = list(outer_boxes(file))
    # without fragments the index tells how much there should be
    return any(box.kind == b"moof" for box in boxes) and _is_cut(boxes[-1], _size(file))


def whole_boxes(file: Seekable) -> int | None:
    """Where the last moof box of an MP4 begins, if the file breaks off inside it; otherwise None.

    FFmpeg refuses a fragmented file that ends so, as it reads the index of all fragments first.
    """
    boxes = list(outer_boxes(file))
    if len(boxes) < 2 or boxes[-1].kind != b"moof" or boxes[-1].end <= _size(file):
        return None
    return boxes[-1].start


@dataclass(frozen=True, slots=True)
class Box:
    """A box of an MP4 (ISO/IEC 14496-12, 4.2), in bytes from the start of the file."""

    kind: bytes
    start: int
    end: int


def outer_boxes(file: Seekable) -> Iterator[Box]:
    """The outermost boxes of an MP4 as far as each leads to the next."""
    return _boxes(file, 0, _size(file))


def inner_boxes(file: Seekable, box: Box) -> Iterator[Box]:
    """The boxes in one that holds nothing else, as far as each leads to the next."""
    return _boxes(file, box.start + 8, min(box.end, _size(file)))


def _boxes(file: Seekable, position: int, size: int) -> Iterator[Box]:
    for _ in range(_MAX_BOXES):
        if position >= size:
            return
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            return
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        end = position + length if length else size
        if (
            end < position + 8
            or not header[4:8].isascii()
            or not header[4:8].decode().isprintable()
        ):
            return
        yield Box(header[4:8], position, end)
        position = end


def _is_cut(last: Box, size: int) -> bool:
    """Whether a file of fragments, each a moof box and its mdat box, ends inside one."""
    if last.end == size:
        return last.kind == b"moof"
    return last.end < size or last.kind in (b"moof", b"mdat")


def _ends_in_last_page(tail: bytes) -> bool:
    """Whether an Ogg file's last page is whole and marked as the last one (RFC 3533, section 6)."""
    start = tail.rfind(b"OggS")
    header = tail[start : start + 27]
    if start < 0 or len(header) < 27:
        return False
    lengths = tail[start + 27 : start + 27 + header[26]]
    is_whole = start + 27 + header[26] + sum(lengths) <= len(tail)
    return is_whole and bool(header[5] & 4)


def _size(file: Seekable) -> int:
    return file.seek(0, os.SEEK_END)


def _tail(file: Seekable) -> bytes:
    """Enough of the end for the longest page of an Ogg file, which has 65,307 bytes."""
    file.seek(max(0, _size(file) - HEAD_SIZE))
    return file.read(HEAD_SIZE)
