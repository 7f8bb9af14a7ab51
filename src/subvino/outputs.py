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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from subvino.errors import (
    DiskFullError,
    OutputError,
    OutputExistsError,
    OutputPermissionError,
    SubvinoError,
)

Existing = Literal["replace-own", "overwrite", "skip"]
"""What happens to a file that stands there already: replaced if subvino made it, always, never."""

# EDQUOT is not on Windows. EFBIG: more than the file system or the user's limit allows.
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


SUBTITLED, BURNED = "subtitled", "burned"
"""Endings of the names of videos with subtitles: talk.subtitled.mp4, talk.burned.mp4."""


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """The folder in which an input's outputs lie, and how their names begin.

    >>> OutputPlace(Path("films"), "talk").path("en", ".srt").as_posix()
    'films/talk.en.srt'
    """

    folder: Path
    stem: str

    def path(self, language: str, suffix: str) -> Path:
        """Named as media players and servers look for it; the suffix with its dot."""
        return self.folder / f"{self.stem}.{language}{suffix}"


def check_writable(folder: Path) -> None:
    """Make the folder if need be; raises OutputError where no file can be made in it."""
    with _translated_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(prefix=".subvino.", dir=folder):
            pass


def write_file(path: Path, content: bytes) -> None:
    """Write the file whole or not at all; raises OutputError and its kinds."""
    with whole_file(path) as beside:
        beside.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """An empty file beside `path` to write to: it takes that place when the block ends well.

    Otherwise it goes and what stood there stays. Raises OutputError and its kinds.
    """
    with _translated_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        os.close(descriptor)
        beside = Path(name)
        try:
            yield beside
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    """Turns what the system says about writing `path` into errors of ours."""
    try:
        yield
    except SubvinoError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _output_error(path, error) from error


def _output_error(path: Path, error: OSError | ValueError) -> OutputError:
    code = error.errno if isinstance(error, OSError) else None
    if code in _FULL:
        return DiskFullError(path)
    if code in _DENIED:
        return OutputPermissionError(path)
    reason = os.strerror(code) if code else str(error)
    return OutputError(f"{path}: can't be written ({reason})", path)


class OutputLog:
    """What subvino wrote: a digest of each file, in a small file of its own in `folder`.

    Of videos, which are large, their size and the time of their last change.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, path: Path) -> None:
        """Raises OutputExistsError where somebody else's file, or an edited one, stands."""
        with _translated_errors(path):
            if path.exists() and _digest(path.read_bytes()) not in self._noted(path):
                raise OutputExistsError(path)

    def write(self, path: Path, content: bytes) -> None:
        """Write the file, whole or not at all; raises OutputError and its kinds.

        Whenever the process is killed, what stands there then is known to be ours: before the
        file takes its place, the log knows it as well as the one that stood there.
        """
        digest = _digest(content)
        self._keep(path, {*self._noted(path), digest})
        write_file(path, content)
        self._keep(path, {digest})

    def note(self, path: Path) -> None:
        """Remember the file as it stands now."""
        with suppress(OSError):
            self._keep(path, {_digest(path.read_bytes())})

    def note_video(self, path: Path) -> None:
        """Remember the video as it stands now."""
        with suppress(OSError):
            status = path.stat()
            self._keep(path, {_stamp(status.st_size, status.st_mtime_ns)})

    def has_video(self, path: Path, size: int, changed_ns: int) -> bool:
        """Whether this is a video that subvino wrote, as a folder's listing tells."""
        return _stamp(size, changed_ns) in self._noted(path)

    def _keep(self, path: Path, digests: set[str]) -> None:
        """Not being able to is no harm worth an error."""
        with suppress(OutputError):
            write_file(self._entry(path), "\n".join(sorted(digests)).encode())

    def _noted(self, path: Path) -> set[str]:
        try:
            return set(self._entry(path).read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return set()

    def _entry(self, path: Path) -> Path:
        # The folder's real path: the same file reached by another way is still ours.
        place = str(path.parent.resolve() / path.name)
        return self._folder / hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _stamp(size: int, changed_ns: int) -> str:
    return f"{size}-{changed_ns}"


def _umask() -> int:
    """The process's mask; reading it means setting it for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
