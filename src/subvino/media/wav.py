"""WAV's chunks: whether they lead to the end of the file.

FFmpeg stops where the chunk of sound says it ends. What stands behind it and is no chunk is sound
that the sizes leave out: of a recorder that died before it wrote them anew, of a second file that
was joined on, of samples that were pushed back by something between them.
"""

from __future__ import annotations

from subvino.containers import Seekable

_HEADER = 8
"""Bytes of a chunk's name and size."""
_UNKNOWN = (0, 0xFFFFFFFF)
"""Sizes of a chunk of sound that was written to a pipe: it goes on to the end."""
_JOINED = (b"RIFF", b"RIFX")
_READ = 1 << 20


def surplus(file: Seekable, size: int, start: int) -> int:
    """Bytes behind the chunks, from the first that belongs to none; 0 if they are only padding.

    start: of the sound.
    """
    at = start - _HEADER
    file.seek(max(0, at))
    if file.read(4) != b"data":
        return 0
    while at < size:
        end = _chunk_end(file, at, size)
        if end is None:
            return 0 if _is_padding(file, at) else size - at
        at = end
    return 0


def _chunk_end(file: Seekable, at: int, size: int) -> int | None:
    """Where the next chunk begins; None if there is no chunk here, or another file."""
    file.seek(at)
    header = file.read(_HEADER)
    kind, length = header[:4], int.from_bytes(header[4:], "little")
    if (
        len(header) < _HEADER
        or kind in _JOINED
        or not (kind.isascii() and kind.decode().isprintable())
    ):
        return None
    end = at + _HEADER + length
    if kind == b"data" and (length in _UNKNOWN or end > size):
        return size
    if end > size:
        return None
    file.seek(end)
    return end + (length % 2 and file.read(1) == b"\0")  # some writers leave the padding out


def _is_padding(file: Seekable, at: int) -> bool:
    file.seek(at)
    while data := file.read(_READ):
        if data.count(0) < len(data):
            return False
    return True
