"""A file of records that is only ever added to, and is whole whenever its writer is killed.

Floor 1 of the road. A record is a JSON object on a line of its own:

    crc32 of the rest, 8 hex digits | a space | the object | a line break

A line that a kill or a power cut tore, or that was damaged since, ends the file: it and what
stands behind it is cut off when the file is opened again. A line reaches the system at once, which
a killed process can't take back, and the disk every `SYNC_SECONDS`.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

SYNC_SECONDS = 5.0
"""Work that a power cut may cost."""

_LONGEST_LINE = 1 << 24
"""Bytes; a longer line is none of ours."""

Record = Mapping[str, Any]


class RecordFile:
    """Records on disk, read from the first on and added at the end.

    Only one process may have it open at a time: whoever opens it holds a lock. Raises OSError where
    the file can't be read or written; what was written before stays whole.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; a torn end is cut off."""
        self.path = path
        is_new = not path.exists()
        self._file: BinaryIO = path.open("x+b" if is_new else "r+b", buffering=0)
        self._end = 0
        self._synced = time.monotonic()
        try:
            for self._end, _ in read_records(path):
                pass
            self.cut(self._end)
            if is_new:
                _sync_folder(path.parent)
        except BaseException:
            self._file.close()
            raise

    def read(self) -> Iterator[tuple[int, Record]]:
        """Each record with the offset at which it begins."""
        begin = 0
        for end, record in read_records(self.path):
            yield begin, record
            begin = end

    def cut(self, offset: int) -> None:
        """Forget the records from this offset on."""
        self._file.truncate(offset)
        self._end = offset

    def add(self, record: Record) -> None:
        """Write a record behind the others, or nothing at all."""
        line = _to_line(record)
        try:
            self._file.seek(self._end)
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError:
            self.cut(self._end)  # a disk that is full took half of it
            raise
        self._end += len(line)
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Bring all records to the disk."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Bring all to the disk and close the file."""
        if not self._file.closed:
            try:
                self.sync()
            finally:
                self._file.close()


def read_records(path: Path) -> Iterator[tuple[int, Record]]:
    """The whole records of a file, each with the offset at which it ends. Raises OSError."""
    offset = 0
    with path.open("rb") as lines:
        while line := lines.readline(_LONGEST_LINE):
            record = _from_line(line)
            if record is None:
                return
            offset += len(line)
            yield offset, record


def _to_line(record: Record) -> bytes:
    content = json.dumps(record, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _from_line(line: bytes) -> Record | None:
    """The record on a line; None where the line is not whole."""
    content = line[9:-1]
    if not line.endswith(b"\n") or line[:9] != b"%08x " % zlib.crc32(content):
        return None
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _sync_folder(folder: Path) -> None:
    """Bring a new file's name to the disk."""
    if os.name == "nt":  # Windows opens no folders; its names are journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
