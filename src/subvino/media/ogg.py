"""Ogg's pages: whether all of them are there and whole (RFC 3533, section 6)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from subvino.containers import Seekable

_CAPTURE = b"OggS"
_FIRST = 2
_READ = 1 << 18
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def is_damaged(file: Seekable) -> bool:
    """Whether pages are spoilt or missing, or something else stands between them."""
    return _are_damaged(_pages(file, 0))


def leads(file: Seekable, after: int, before: int) -> bool:
    """Whether whole pages in their order lead from one offset to the page at a later one."""
    pages = list(takewhile(lambda page: page.start <= before, _pages(file, after)))
    return bool(pages) and pages[-1].start == before and not _are_damaged(iter(pages))


def _are_damaged(pages: Iterator[_Page]) -> bool:
    numbers: dict[bytes, int] = {}
    end: int | None = None
    for page in pages:
        if not page.is_whole or (end is not None and page.start != end):
            return True
        wanted = numbers.get(page.serial)
        if wanted is not None and page.number != wanted and not page.is_first:
            return True
        numbers[page.serial] = (page.number + 1) & 0xFFFFFFFF
        if page.is_header:
            del numbers[page.serial]  # a radio's recording goes on from its headers at any number
        end = page.end
    return False


@dataclass(frozen=True, slots=True)
class _Page:
    """One page; `start` and `end` in bytes of the file.

    is_first: of its stream. is_header: no sound ends in it.
    """

    start: int
    end: int
    serial: bytes
    number: int
    is_first: bool
    is_header: bool
    is_whole: bool


def _pages(file: Seekable, offset: int) -> Iterator[_Page]:
    """The pages from an offset on; what follows one that is not whole is searched for the next."""
    start = _find(file, offset)
    while start is not None:
        page = _page(file, start)
        yield page
        start = _find(file, page.end)


def _page(file: Seekable, start: int) -> _Page:
    file.seek(start)
    header = file.read(27)
    lengths = file.read(header[26]) if len(header) == 27 else b""
    body = file.read(sum(lengths))
    is_complete = len(header) == 27 and len(lengths) == header[26] and len(body) == sum(lengths)
    data = header[:22] + bytes(4) + header[26:] + lengths + body
    is_whole = is_complete and _checksum(data) == int.from_bytes(header[22:26], "little")
    return _Page(
        start=start,
        end=start + len(data) if is_whole else start + len(_CAPTURE),
        serial=header[14:18],
        number=int.from_bytes(header[18:22], "little"),
        is_first=len(header) > 5 and bool(header[5] & _FIRST),
        is_header=int.from_bytes(header[6:14], "little") == 0,
        is_whole=is_whole,
    )


def _find(file: Seekable, start: int) -> int | None:
    """Where the next page seems to begin."""
    while True:
        file.seek(start)
        data = file.read(_READ)
        at = data.find(_CAPTURE)
        if at >= 0:
            return start + at
        if len(data) < _READ:
            return None
        start += len(data) - len(_CAPTURE) + 1


def _checksum(page: bytes) -> int:
    """CRC-32 as Ogg has it: bits the other way round, from zero, and not inverted."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
