"""What models there are, here and to be had: the answers of `subvino models`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from subvino.models import cache
from subvino.models.catalogue import MODELS, Model, find_model
from subvino.models.installed import is_installed
from subvino.models.manifest import Manifest, find_changed_files
from subvino.models.prepare import canonical_name, missing_model


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """A model in the cache; size in bytes."""

    entry: str
    path: Path
    weights: str
    size: int
    source: str


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model by name, and where it can be had now.

    model: its row of the catalogue; None for one that the user made or took from the hub.
    converted: what the cache has of it, ready to run.
    installed: an installed package carries it.
    """

    name: str
    model: Model | None
    converted: tuple[ConvertedModel, ...]
    installed: bool


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """All there is to say about one model.

    damaged: paths of files that are not as they were made; None where it was not looked at.
    """

    state: ModelState
    manifests: tuple[Manifest, ...]
    damaged: tuple[Path, ...] | None = None


def list_models() -> list[ModelState]:
    """Every model of the catalogue, in its order, then all others in the cache by name."""
    entries = cache.list_entries()
    others = sorted({_name_of(*entry) for entry in entries} - set(MODELS))
    return [_state(name, entries) for name in [*MODELS, *others]]


def model_info(name: str, *, verify: bool = False) -> ModelInfo:
    """What is known about a model, by its name, alias, hub id or entry in the cache.

    verify: read the files and compare their digests.

    Raises:
        ModelNotFoundError: the catalogue and the cache don't know it.
    """
    found = _find_entries(name)
    if not found and find_model(name) is None:
        raise missing_model(name)
    damaged = None
    if verify:
        damaged = tuple(
            cache.models_folder() / entry / file
            for entry, manifest in found
            for file in find_changed_files(cache.models_folder() / entry, manifest, digests=True)
        )
    manifests = tuple(manifest for _, manifest in found)
    return ModelInfo(_state(canonical_name(name), found), manifests, damaged)


def remove_model(name: str) -> int:
    """Remove a model, all its conversions or one entry, from the cache; gives the bytes freed.

    What the hub's own cache and installed packages hold stays.

    Raises:
        ModelNotFoundError: the cache does not have it.
    """
    entries = [entry for entry, _ in _find_entries(name)]
    # A damaged entry has no manifest that says its name; its own name will do.
    if not entries and cache.find_entry(name) is not None:
        entries = [name]
    if not entries:
        raise missing_model(name, "the cache does not have it")
    return sum(_remove_entry(entry) for entry in entries)


def _remove_entry(entry: str) -> int:
    with cache.lock_entry(entry):
        return 0 if cache.find_entry(entry) is None else cache.delete_entry(entry)


def _find_entries(name: str) -> list[tuple[str, Manifest]]:
    wanted = canonical_name(name)
    return [
        (entry, manifest)
        for entry, manifest in cache.list_entries()
        if entry == name or _name_of(entry, manifest) == wanted
    ]


def _name_of(entry: str, manifest: Manifest) -> str:
    """The name to ask for an entry by.

    An entry that another tool put there (`base-int8-static`) goes by the folder's name: its
    manifest may well call it `base`, like the one it was made from.
    """
    ours = cache.entry_name(manifest.name, manifest.weights)
    return manifest.name if entry == ours else entry


def _state(name: str, entries: list[tuple[str, Manifest]]) -> ModelState:
    model = MODELS.get(name)
    own = [item for item in entries if name in (item[0], _name_of(*item))]
    converted = tuple(_converted(*item) for item in own)
    return ModelState(name, model, converted, model is not None and is_installed(model))


def _converted(entry: str, manifest: Manifest) -> ConvertedModel:
    size = sum(record.size for record in manifest.files.values())
    path = cache.models_folder() / entry
    return ConvertedModel(entry, path, manifest.weights, size, manifest.source)
