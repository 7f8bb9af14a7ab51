"""Checkpoints on the Hugging Face hub, or a mirror of it (`HF_ENDPOINT`).

Downloads go through `huggingface_hub`: they are kept in its own cache, obey `HF_HUB_OFFLINE`, and
go on where a connection dropped, five times without a new byte; what a run has not finished of a
file by then, the next begins anew (since 1.0 the library keeps no partial files).
Only files of an exact list of names are ever asked for, and no pickle is.
"""

from __future__ import annotations

import errno
import hashlib
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from subvino.errors import (
    CheckpointError,
    DigestMismatchError,
    DiskFullError,
    DownloadError,
    ModelError,
    ModelNotFoundError,
    PickleRefusedError,
)
from subvino.models.progress import Progress

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,128}", re.ASCII)
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors", re.ASCII)
_DESCRIPTIONS = ("config.json", "generation_config.json", "tokenizer.json")
_INDEX = "model.safetensors.index.json"
_OPENVINO = tuple(
    f"openvino_{part}_model.{kind}" for part in ("encoder", "decoder") for kind in ("xml", "bin")
)
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt")
_LISTING_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository on the hub; revision: a commit, branch or tag.

    sha256: of its model.safetensors, where known.
    """

    repo_id: str
    revision: str = "main"
    sha256: str | None = None

    def __str__(self) -> str:
        """As the user writes it."""
        return f"{self.repo_id}@{self.revision}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a repository at one commit, in the hub's cache."""

    folder: Path
    commit: str


def parse_reference(name: str) -> Reference | None:
    """`org/name` or `org/name@revision`, or None where `name` is neither."""
    repo_id, _, revision = name.partition("@")
    revision = revision or "main"
    if not _ID.fullmatch(repo_id) or not _REVISION.fullmatch(revision) or ".." in name:
        return None
    return Reference(repo_id, revision)


def choose_files(names: Collection[str], reference: Reference) -> list[str]:
    """Which of a repository's files make a checkpoint that subvino reads.

    Raises:
        PickleRefusedError: it has its weights only as a pickle.
        CheckpointError: it has none.
    """
    weights = _choose_weights(names)
    if not weights and any(name in names for name in _PICKLES):
        raise PickleRefusedError(str(reference))
    if not weights or "config.json" not in names:
        raise CheckpointError(f"{reference}: holds no Whisper checkpoint", str(reference))
    return [name for name in _DESCRIPTIONS if name in names] + weights


def _choose_weights(names: Collection[str]) -> list[str]:
    if "model.safetensors" in names:
        return ["model.safetensors"]
    if _INDEX in names:
        return [_INDEX, *sorted(name for name in names if _SHARD.fullmatch(name))]
    if "model.bin" in names:
        return ["model.bin"]
    return list(_OPENVINO) if set(_OPENVINO) <= set(names) else []


def download(reference: Reference, progress: Progress) -> Snapshot:
    """The checkpoint's files, from the hub or, where it can't be reached, its cache.

    Raises:
        ModelNotFoundError: there is no such repository, or the hub can't be reached.
        DownloadError: a download broke off, and trying again did not help.
        DigestMismatchError: the weights are not those that the reference asks for.
    """
    snapshot = _download_listed(reference, progress) or _find_cached(reference)
    weights = snapshot.folder / "model.safetensors"
    if reference.sha256 is not None and weights.is_file():
        _check_digest(weights, reference.sha256, progress)
    return snapshot


def _download_listed(reference: Reference, progress: Progress) -> Snapshot | None:
    """The files fetched one by one, or None where the hub can't be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        info = HfApi().model_info(
            reference.repo_id, revision=reference.revision, timeout=_LISTING_TIMEOUT
        )
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403, 404):
            raise _not_there(reference) from error
        return None
    except ValueError as error:  # an id that the hub does not allow
        raise _not_there(reference) from error
    except _network_errors():
        return None
    names = choose_files({file.rfilename for file in info.siblings or ()}, reference)
    commit = info.sha or reference.revision
    if commit != reference.revision:
        # So that the hub's cache notes which commit the branch means, for when it is offline.
        _download_file(reference, names[0], reference.revision, progress)
    paths = [_download_file(reference, name, commit, progress) for name in names]
    return Snapshot(paths[0].parent, commit)


def _download_file(reference: Reference, name: str, commit: str, progress: Progress) -> Path:
    from huggingface_hub import hf_hub_download

    options: dict[str, Any] = {}
    # huggingface_hub 1.0 draws a bar of its own and takes no other.
    if "tqdm_class" in signature(hf_hub_download).parameters:
        options["tqdm_class"] = _progress_bar(name, progress)
    try:
        return Path(str(hf_hub_download(reference.repo_id, name, revision=commit, **options)))
    except _network_errors() as error:
        raise _broken_off(reference, name, error) from error


def _find_cached(reference: Reference) -> Snapshot:
    """The checkpoint in the hub's cache, all its files there."""
    from huggingface_hub import hf_hub_download

    try:
        config = hf_hub_download(
            reference.repo_id, "config.json", revision=reference.revision, local_files_only=True
        )
        folder = Path(str(config)).parent
        choose_files({path.name for path in folder.iterdir() if path.exists()}, reference)
    except (OSError, CheckpointError, ValueError) as error:
        raise ModelNotFoundError(f"{reference.repo_id}: the hub can't be reached") from error
    return Snapshot(folder, folder.name)


def _network_errors() -> tuple[type[Exception], ...]:
    """What `huggingface_hub` raises when the network fails.

    Its releases differ in their HTTP library, whose errors come through as they are; its own error
    class inherits from that library's root.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return (OSError, *(base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)))


def _not_there(reference: Reference) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"{reference}: the hub has no such model, or it is private (then set HF_TOKEN)"
    )


def _broken_off(reference: Reference, name: str, error: Exception) -> ModelError | DiskFullError:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DiskFullError(name)
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return DownloadError(
        f"{reference.repo_id}: the download of {name} broke off ({reason}); "
        "check the network and run again"
    )


def _check_digest(path: Path, wanted: str, progress: Progress) -> None:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
            done += len(chunk)
            progress(f"check {path.name}", done, total)
    if digest.hexdigest() != wanted:
        # The snapshot's file is a link: deleting that alone would bring the same bytes back.
        raise DigestMismatchError(path.resolve(), wanted, digest.hexdigest())


def _progress_bar(name: str, progress: Progress) -> type[Any]:
    """A tqdm class that shows nothing and reports to `progress`."""
    from huggingface_hub.utils.tqdm import tqdm

    class ReportingBar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            self._done = int(options.get("initial") or 0)
            options.update(disable=False, file=io.StringIO())
            super().__init__(*args, **options)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            progress(f"download {name}", self._done, int(self.total or 0))
            return None

        def display(self, *_args: Any, **_options: Any) -> None:
            return None

    return ReportingBar
