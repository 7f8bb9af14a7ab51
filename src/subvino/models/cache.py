"""The folder of converted models, which several processes may fill and empty at once.

An entry is a folder with a manifest. It is built out of sight, in a folder of its own beside it,
and put in its place by a rename, while a lock on the entry's name is held. The system drops the
lock when its holder dies: whoever holds it may clear what a dead one left.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from subvino.errors import CheckpointError, DiskFullError, OutputError, SubvinoError
from subvino.models.manifest import FILE_NAME, Manifest, read_manifest, write_manifest

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", re.ASCII)
# Not in any entry's name, so that what is being built is never taken for an entry.
_HIDDEN = "~"


def cache_folder() -> Path:
    """Where subvino keeps what it can make again: $SUBVINO_CACHE, or the system's place for it."""
    if given := os.environ.get("SUBVINO_CACHE"):
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("subvino", appauthor=False)


def models_folder() -> Path:
    """Where the converted models lie."""
    return cache_folder() / "models"


def outputs_folder() -> Path:
    """Where it is noted what subvino wrote: of `subvino.outputs.OutputLog`."""
    return cache_folder() / "outputs"


def entry_name(name: str, weights: str) -> str:
    """The folder's name for a model; one word, whatever `name` holds."""
    return f"{_plain(name)}-{weights}"


def _plain(name: str) -> str:
    """`name` as one word that is safe in a path, different for different names."""
    if _PLAIN.fullmatch(name):
        return name
    word = re.sub(r"[^A-Za-z0-9.@+]+", "-", name).strip("-.")[:60]
    return f"{word}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"


def find_entry(entry: str) -> Path | None:
    """The folder of an entry that has a manifest, sound or not."""
    if not _PLAIN.fullmatch(entry):
        return None
    folder = models_folder() / entry
    return folder if (folder / FILE_NAME).is_file() else None


def list_entries() -> list[tuple[str, Manifest]]:
    """(entry, manifest) of all converted models, in order of name; damaged ones left out."""
    root = models_folder()
    names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    found = ((name, _try_read(root / name)) for name in names if _PLAIN.fullmatch(name))
    return [(name, manifest) for name, manifest in found if manifest is not None]


def _try_read(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except CheckpointError:
        return None


@contextmanager
def lock_entry(entry: str) -> Iterator[None]:
    """Hold the entry's lock; waits while another process builds or removes it."""
    from filelock import FileLock

    locks = models_folder() / ".locks"
    with _clear_errors(locks):
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{entry}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def build_entry(entry: str, fill: Callable[[Path, Path], Manifest]) -> Path:
    """Make or replace an entry; the caller holds its lock.

    fill: called with the new entry's folder, empty, and another for what is needed on the way;
        gives the manifest, whose list of files is made here.
    """
    root = models_folder()
    _clear_leftovers(root, entry)
    with _clear_errors(root):
        work = Path(tempfile.mkdtemp(prefix=f"{_HIDDEN}{entry}{_HIDDEN}", dir=root))
        try:
            new, scratch = work / "new", work / "scratch"
            new.mkdir()
            scratch.mkdir()
            write_manifest(new, fill(new, scratch))
            _sync(new)
            _put_in_place(new, root / entry, work / "old")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return root / entry


def delete_entry(entry: str) -> int:
    """Delete an entry; the caller holds its lock. Gives the bytes freed."""
    root = models_folder()
    folder = root / entry
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with _clear_errors(folder):
        work = Path(tempfile.mkdtemp(prefix=f"{_HIDDEN}{entry}{_HIDDEN}", dir=root))
        folder.replace(work / "old")
        shutil.rmtree(work, ignore_errors=True)
    return size


def _put_in_place(new: Path, target: Path, old: Path) -> None:
    # A folder can't be renamed onto one that is not empty. Between the two renames there is no
    # entry: who looks then waits for the lock, and finds the new one.
    if target.exists():
        target.replace(old)
    new.replace(target)
    _sync_folder(target.parent)


def _clear_leftovers(root: Path, entry: str) -> None:
    if root.is_dir():
        for path in root.glob(f"{_HIDDEN}{entry}{_HIDDEN}*"):
            shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Bring the folder's files to the disk, so that a power cut leaves them whole or absent."""
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no folders; its renames are journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Turn the system's refusals to write into ours."""
    try:
        yield
    except SubvinoError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFullError(path) from error
        raise OutputError(
            f"{path}: can't be written ({error.strerror}); set SUBVINO_CACHE to a folder that can",
            path,
        ) from error
