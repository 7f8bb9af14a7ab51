"""What the first bytes of a media file say about it, beside what FFmpeg tells.

Floor 0 of the road, pure: bytes in, facts out. FFmpeg reports the length of a file that was cut
off as if it had always been that short; the header still knows what it was meant to be.
"""

from __future__ import annotations

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
