"""The media of jobs: files named by the digest of what is in them.

Floor 5 of the road. A file is written out of sight, in the incoming folder, and renamed when it is
whole. Clients' names never become paths; of them only a harmless suffix is kept.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import shutil
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from subvino.audio import SAMPLE_RATE
from subvino.errors import DiskFullError, OutputError, TooLargeError

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_PIECE = 1 << 20
_WAV_HEADER = 44
_MAX_WAV = 2**32 - 1 - _WAV_HEADER
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class ArrivedMedia:
    """A whole file in the incoming folder.

    digest: SHA-256 of what the client sent, and how it is to be read.
    name: as the client calls it: one printable line, no path.
    """

    path: Path
    digest: str
    name: str
    n_bytes: int

    @property
    def stored_name(self) -> str:
        """What it is called in the media folder."""
        suffix = Path(self.name).suffix
        return self.digest + (suffix.lower() if _SUFFIX.fullmatch(suffix) else "")


class IncomingFile:
    """A file that is being received; it counts and digests what is written to it.

    raw: what comes is 16-bit PCM, little endian, mono, 16 kHz, without a header: it gets one.

    Raises TooLargeError, DiskFullError or OutputError when written to.
    """

    def __init__(self, folder: Path, name: str, max_bytes: int, *, raw: bool = False) -> None:
        self.name = plain_name(name)
        self.path = folder / secrets.token_hex(16)
        self.n_bytes = 0
        self._raw = raw
        self._max_bytes = min(max_bytes, _MAX_WAV) if raw else max_bytes
        self._digest = hashlib.sha256(b"s16le" if raw else b"")
        self._file = self.path.open("xb")
        if raw:
            self._file.write(_wav_header(0))

    def write(self, data: bytes) -> None:
        """Append what has come."""
        self.n_bytes += len(data)
        if self.n_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        try:
            self._file.write(data)
        except OSError as error:
            raise _write_error(error, self.path.parent) from error
        self._digest.update(data)

    def finish(self) -> ArrivedMedia:
        """The file, now whole and closed."""
        try:
            if self._raw:
                self._file.seek(0)
                self._file.write(_wav_header(self.n_bytes))
            self._file.close()
        except OSError as error:
            raise _write_error(error, self.path.parent) from error
        return ArrivedMedia(self.path, self._digest.hexdigest(), self.name, self.n_bytes)

    def discard(self) -> None:
        """Close the file and remove it, wherever it got to."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def too_large(max_bytes: int) -> TooLargeError:
    """The refusal of more bytes than are taken."""
    return TooLargeError(f"larger than the {max_bytes / 1e6:g} MB that this server takes")


def receive_file(source: Path, folder: Path, name: str, max_bytes: int) -> ArrivedMedia:
    """A copy of a file in the incoming folder."""
    incoming = IncomingFile(folder, name or source.name, max_bytes)
    try:
        with source.open("rb") as file:
            while piece := file.read(_PIECE):
                incoming.write(piece)
        return incoming.finish()
    except BaseException:
        incoming.discard()
        raise


def keep_file(arrived: ArrivedMedia, folder: Path) -> str:
    """Put the file in the media folder; gives its name there."""
    target = folder / arrived.stored_name
    if target.exists():
        arrived.path.unlink(missing_ok=True)
    else:
        arrived.path.replace(target)
    return target.name


def remove_unused(folder: Path, used: Collection[str]) -> None:
    """Remove from a folder the files, and folders, that no job needs."""
    for path in folder.iterdir():
        if path.name in used:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def prepare_folders(*folders: Path) -> None:
    """Make the folders; raises OutputError."""
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _write_error(error, folders[0]) from error


def empty_folder(folder: Path) -> None:
    """Remove what a server that died left half received."""
    shutil.rmtree(folder, ignore_errors=True)
    prepare_folders(folder)


def plain_name(name: str) -> str:
    r"""The last part of a client's name for a file, as one printable line; or "media".

    >>> plain_name("../../etc/passwd"), plain_name("C:\\talks\\one\n.mp4"), plain_name("..")
    ('passwd', 'one .mp4', 'media')
    """
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(char if char.isprintable() else " " for char in last)
    plain = " ".join(printable.split())
    if len(plain) > _MAX_NAME:
        suffix = Path(plain).suffix[:9]
        plain = plain[: _MAX_NAME - len(suffix)] + suffix
    return plain if plain.strip(".") else "media"


def _wav_header(n_bytes: int) -> bytes:
    """Of 16-bit mono PCM (RIFF WAVE, Multimedia Programming Interface 1.0)."""
    n_bytes -= n_bytes % 2
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + n_bytes, b"WAVE", b"fmt ", 16, 1, 1),
        *(SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16, b"data", n_bytes),
    )


def _write_error(error: OSError, path: Path) -> OutputError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return DiskFullError(path)
    return OutputError(f"{path}: can't be written ({error.strerror})", path)
