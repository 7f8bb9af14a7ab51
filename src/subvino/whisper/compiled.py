"""Graphs compiled for a device, and what was compiled before, taken only if it is sound.

Floor 2 of the road. OpenVINO keeps compiled graphs in the folder `CACHE_DIR` and sees it when such
a file was cut, but not when bytes in its weights changed: the text is then another. Hence a record
of the files' digests lies beside them, and one that does not fit is compiled anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import openvino as ov

from subvino.errors import CheckpointError, OutputError
from subvino.outputs import write_file

_RECORD = "digests.json"
_LOCK = ".lock"


def new_core() -> ov.Core:
    """OpenVINO, with files read into memory.

    A mapped file that is cut while it is in use ends the process (SIGBUS), and one that is changed
    changes the text. whisper-base takes as much memory either way (625 MB).
    """
    core = ov.Core()
    core.set_property({"ENABLE_MMAP": False})
    return core


def stamp_graph(path: Path) -> list[tuple[int, int, int]] | None:
    """Changes when the files of a graph do; None where one is gone."""
    try:
        stats = [file.stat() for file in (path, path.with_suffix(".bin"))]
    except OSError:
        return None
    return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats]


def read_graph(core: ov.Core, path: Path) -> ov.Model:
    """A graph of a converted model. Raises CheckpointError where its files are gone or damaged."""
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise spoilt_graph(path) from error


def spoilt_graph(path: Path) -> CheckpointError:
    """The error for files that were sound when the run began."""
    message = f"{path}: is gone or damaged; run again, and the model is made anew"
    return CheckpointError(message, path)


def compile_graph(
    core: ov.Core, graph: ov.Model, device: str, properties: Mapping[str, object], name: str
) -> ov.CompiledModel:
    """The graph on the device; `name` tells it from the others of its model.

    With the property CACHE_DIR it is kept there in a folder of that name for the next start.
    """
    plain = {key: value for key, value in properties.items() if key != "CACHE_DIR"}
    kept = properties.get("CACHE_DIR")
    if kept is None:
        return core.compile_model(graph, device, plain)
    with _sound_files(Path(str(kept)) / name) as folder:
        place = {} if folder is None else {"CACHE_DIR": str(folder)}
        return core.compile_model(graph, device, {**plain, **place})


@contextmanager
def _sound_files(folder: Path) -> Iterator[Path | None]:
    """The folder, with sound files only, while no other process uses it; None: do without it."""
    from filelock import FileLock

    lock = FileLock(folder / _LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError:  # no place to write to; the work does not depend on it
        yield None
        return
    try:
        usable = _drop_damaged(folder)
        yield folder if usable else None
        if usable:
            _write_record(folder)
    finally:
        lock.release()


def _drop_damaged(folder: Path) -> bool:
    """Delete what does not fit the record; False where that can't be done."""
    known = _read_record(folder)
    try:
        for path in _blobs(folder):
            if known.get(path.name) != _digest(path):
                path.unlink()
    except OSError:
        return False
    return True


def _write_record(folder: Path) -> None:
    known = _read_record(folder)
    with suppress(OSError, OutputError):  # what is not in the record is compiled anew
        found = {path.name: known.get(path.name) or _digest(path) for path in _blobs(folder)}
        if found != known:
            write_file(folder / _RECORD, json.dumps(found, indent=1).encode("ascii"))


def _read_record(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / _RECORD).read_bytes())
        return {str(name): str(digest) for name, digest in content.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def _blobs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.blob"))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
