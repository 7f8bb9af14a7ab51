"""Where subtitles are written, and writing them so that nothing is lost.

Floor 1 of the road. A file is written beside its place and renamed, so that what stands under a
final name is always whole. What somebody else made, or edited since, is not replaced unasked: for
each file that subvino writes it notes a digest in its cache and replaces only what still has it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from subvino.errors import DiskFullError, OutputError, OutputExistsError, OutputPermissionError

Existing = Literal["replace-own", "overwrite", "skip"]
"""What happens to a file that stands there already: replaced if subvino made it, always, never."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def output_path(media: Path, language: str, suffix: str, folder: Path | None = None) -> Path:
    """`talk.mp4` → `talk.en.srt`, beside the media or in `folder`: as media players look for it.

    suffix: with its dot.
    """
    return (folder or media.parent) / f"{media.stem}.{language}{suffix}"


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write the file whole or not at all; raises OutputError and its kinds."""
    with translated_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding=encoding, newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o666 & ~_umask())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turns what the system says about writing `path` into errors of ours."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(path) from error
        if error.errno in _DENIED:
            raise OutputPermissionError(path) from error
        raise OutputError(f"{path}: can't be written ({error.strerror or error})", path) from error


class OutputLog:
    """The digests of the files that subvino wrote, one small file each in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, path: Path) -> None:
        """Raises OutputExistsError where somebody else's file, or an edited one, stands."""
        if path.exists() and self._noted(path) != _digest(path):
            raise OutputExistsError(path)

    def note(self, path: Path) -> None:
        """Remember the file as it stands now; not being able to is no harm worth an error."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._entry(path).write_text(_digest(path), encoding="ascii")
        except OSError:
            return

    def _noted(self, path: Path) -> str:
        try:
            return self._entry(path).read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    def _entry(self, path: Path) -> Path:
        name = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _umask() -> int:
    """The process's mask; reading it means setting it for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
