"""subvino.json: what a converted model in the cache is, and which files it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from subvino.errors import CheckpointError
from subvino.network import Dimensions, GenerationSettings, ModelFolder

FILE_NAME = "subvino.json"
TOKENIZER = "tokenizer.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when the model was made."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a converted model that its files don't say.

    source: where the checkpoint came from, in words.
    fingerprint: changes when the checkpoint at the source does.
    graphs_version: `graphs.GRAPHS_VERSION` it was made with.
    files: name → record, of all files but this one; filled in when it is written.
    """

    name: str
    weights: str
    dimensions: Dimensions
    settings: GenerationSettings
    source: str
    fingerprint: str
    graphs_version: int
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    def to_folder(self, folder: Path) -> ModelFolder:
        """The model in `folder`, which this is the manifest of."""
        return ModelFolder(
            name=self.name,
            path=folder,
            dimensions=self.dimensions,
            settings=self.settings,
            tokenizer=folder / TOKENIZER,
            weights=self.weights,
            source=self.source,
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` into `folder`, with records of all the files there."""
    paths = sorted(path for path in folder.iterdir() if path.name != FILE_NAME)
    files = {path.name: FileRecord(path.stat().st_size, digest_file(path)) for path in paths}
    content = asdict(manifest) | {
        "format": _FORMAT,
        "subvino_version": _own_version(),
        "files": {name: asdict(record) for name, record in files.items()},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def _own_version() -> str:
    try:
        return version("subvino")
    except PackageNotFoundError:  # run from a source tree
        return "unknown"


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parse(content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path}: is missing or damaged", path) from error


def _parse(content: dict[str, object]) -> Manifest:
    """The manifest in JSON form; a field missing or of another kind raises one of many errors."""
    if content["format"] != _FORMAT:
        raise ValueError("made by another version")
    settings = content["settings"]
    files = content["files"]
    if not isinstance(settings, dict) or not isinstance(files, dict):
        raise TypeError("not objects")
    dimensions = content["dimensions"]
    if not isinstance(dimensions, dict):
        raise TypeError("not an object")
    return Manifest(
        name=str(content["name"]),
        weights=str(content["weights"]),
        dimensions=Dimensions(**{str(name): int(size) for name, size in dimensions.items()}),
        settings=GenerationSettings(
            suppress_tokens=tuple(map(int, settings["suppress_tokens"])),
            begin_suppress_tokens=tuple(map(int, settings["begin_suppress_tokens"])),
            alignment_heads=tuple((int(a), int(b)) for a, b in settings["alignment_heads"]),
        ),
        source=str(content["source"]),
        fingerprint=str(content["fingerprint"]),
        graphs_version=int(str(content["graphs_version"])),
        files={_check_name(name): FileRecord(**record) for name, record in files.items()},
    )


def _check_name(name: str) -> str:
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError("names a file outside its folder")
    return name


def find_changed_files(folder: Path, manifest: Manifest, *, digests: bool = False) -> list[str]:
    """Names of files that are missing or not as they were; by size, or by digest (slower)."""

    def is_unchanged(name: str) -> bool:
        return _is_unchanged(folder / name, manifest.files[name], digests=digests)

    with ThreadPoolExecutor() as several:  # hashing leaves the interpreter to others
        unchanged = several.map(is_unchanged, manifest.files)
        return [name for name, same in zip(manifest.files, unchanged, strict=True) if not same]


def _is_unchanged(path: Path, record: FileRecord, *, digests: bool) -> bool:
    try:
        same_size = path.is_file() and path.stat().st_size == record.size
        return same_size and (not digests or digest_file(path) == record.sha256)
    except OSError:
        return False


def digest_file(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()
