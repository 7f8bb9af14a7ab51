"""Opens a Whisper checkpoint, whatever files it came in.

Floor 1 of the road: files → `network.Checkpoint`. Everything read here is taken for hostile: sizes
and offsets are checked against the file before anything is allocated, shapes against the
dimensions, and no pickle is ever opened.

To add a kind of checkpoint: a file here with `open_...(folder) -> Checkpoint`, a name in
`CheckpointKind`, a line in `recognise` and one in `open_checkpoint`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from subvino.checkpoints.ctranslate2 import open_ctranslate2
from subvino.checkpoints.huggingface import open_huggingface, read_openvino_description
from subvino.errors import CheckpointError, PickleRefusedError
from subvino.network import Checkpoint

__all__ = [
    "CheckpointKind",
    "is_openvino_folder",
    "open_checkpoint",
    "read_openvino_description",
    "recognise",
]

CheckpointKind = Literal["huggingface", "ctranslate2", "openvino"]

_PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# A zip archive is how torch has saved since 1.6; 0x80 is the PROTO opcode that opens a pickle.
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80")


def is_openvino_folder(folder: Path) -> bool:
    """Whether `folder` holds an IR as Optimum-Intel exports it."""
    return all((folder / f"openvino_{part}_model.xml").is_file() for part in ("encoder", "decoder"))


def recognise(folder: Path) -> CheckpointKind:
    """Which kind of checkpoint lies in `folder`.

    Raises:
        PickleRefusedError: its weights are a pickle.
        CheckpointError: it is no folder, or none of the kinds read here.
    """
    if folder.is_file():
        raise _wrong_file(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder", folder)
    names = ("model.safetensors", "model.safetensors.index.json")
    if any((folder / name).is_file() for name in names):
        return "huggingface"
    if (folder / "model.bin").is_file() and not _is_pickle(folder / "model.bin"):
        return "ctranslate2"
    # Last: weights that come with the IR are better converted, since only our own graphs batch.
    if is_openvino_folder(folder):
        return "openvino"
    raise _unreadable_folder(folder)


def open_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`; its weights stay in the file until each is asked for.

    Raises:
        PickleRefusedError: its weights are a pickle.
        CheckpointError: the files are not a Whisper checkpoint, or are damaged.
    """
    kind = recognise(folder)
    if kind == "huggingface":
        return open_huggingface(folder)
    if kind == "ctranslate2":
        return open_ctranslate2(folder)
    raise CheckpointError(f"{folder}: holds OpenVINO IR, which runs as it is", folder)


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_PICKLE_STARTS)


def _wrong_file(path: Path) -> CheckpointError:
    if path.suffix in _PICKLE_SUFFIXES and _is_pickle(path):
        return PickleRefusedError(path)
    return CheckpointError(f"{path}: is a file; give the folder that holds the checkpoint", path)


def _unreadable_folder(folder: Path) -> CheckpointError:
    for path in sorted(folder.iterdir()):
        if path.suffix in _PICKLE_SUFFIXES and path.is_file() and _is_pickle(path):
            return PickleRefusedError(path)
    return CheckpointError(
        f"{folder}: no Whisper checkpoint; looked for model.safetensors (Hugging Face), "
        "model.bin (CTranslate2) and openvino_encoder_model.xml (Optimum-Intel)",
        folder,
    )
