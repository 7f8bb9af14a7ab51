"""Checkpoints as CTranslate2 (faster-whisper) saves them: model.bin and config.json.

model.bin, version 6, little endian: u32 version; string name of the network; u32 revision; u32
number of variables; each: string name, u8 rank, u32 sizes, u8 element type, u32 bytes, the bytes;
u32 number of aliases; each: string alias, string variable. A string is a u16 length, which counts
a closing zero byte, and its bytes (`ModelSpec._serialize` in CTranslate2's model_spec.py).

Queries, keys and values of an attention are stacked in one matrix; the key bias is zero and has
no place in `network.Weights`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from subvino.checkpoints import layout
from subvino.checkpoints.huggingface import find_tokenizer
from subvino.checkpoints.json_file import JsonFile
from subvino.checkpoints.stored import (
    FLOAT_TYPES,
    ElementType,
    Floats,
    Readable,
    StoredTensor,
    StoredWeights,
)
from subvino.errors import CheckpointError
from subvino.network import Checkpoint, Dimensions, GenerationSettings

_VERSION = 6
_NETWORK = "WhisperSpec"
# DataType in CTranslate2's types.h, in order.
_ELEMENTS: tuple[ElementType, ...] = ("f32", "i8", "i16", "i32", "f16", "bf16")
# The largest Whisper, in int8, has under 2,000 variables.
_MAX_VARIABLES = 100_000
_MAX_RANK = 4
# Where a file does not say the number of heads: all Whisper networks have heads of 64 states.
_HEAD_STATES = 64

Variables = Mapping[str, StoredTensor]


def open_ctranslate2(folder: Path) -> Checkpoint:
    """The checkpoint in a folder with model.bin, config.json and tokenizer.json.

    Raises:
        CheckpointError: a file is missing, damaged, or of another kind of network.
    """
    path = folder / "model.bin"
    variables = read_variables(path)
    dimensions = _read_dimensions(variables, path)
    names = _names(dimensions)
    tensors = {name: _find(variables, *place, path) for name, place in names.items()}
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    layout.check_shapes(shapes, dimensions, path)
    settings = _read_settings(folder / "config.json", dimensions)
    return Checkpoint(dimensions, settings, StoredWeights(tensors), find_tokenizer(folder))


def read_variables(path: Path) -> dict[str, StoredTensor]:
    """Name → variable of the model.bin at `path`, aliases among them.

    Raises:
        CheckpointError: it is another version or network, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            return _BinaryReader(path, file, path.stat().st_size).read_all()
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read ({error.strerror})", path) from error


@dataclass(frozen=True, slots=True)
class _BinaryReader:
    """Reads model.bin from the front; no length in it is believed before it is checked."""

    path: Path
    file: BinaryIO
    size: int

    def read_all(self) -> dict[str, StoredTensor]:
        version = self._integer(4)
        if version != _VERSION:
            raise self._error(f"has format version {version}, expected {_VERSION} (convert anew)")
        network = self._string()
        if network != _NETWORK:
            raise self._error(f"is of a {network!r} network, not {_NETWORK}")
        self._integer(4)
        tensors = [self._variable() for _ in range(self._count())]
        variables = {tensor.name: tensor for tensor in tensors}
        for _ in range(self._count()):
            alias, name = self._string(), self._string()
            if name not in variables:
                raise self._error(f"alias {alias} is of {name}, which is not there")
            variables[alias] = variables[name]
        return variables

    def _variable(self) -> StoredTensor:
        name = self._string()
        rank = self._integer(1)
        if rank > _MAX_RANK:
            raise self._error(f"tensor {name} has {rank} dimensions")
        shape = tuple(self._integer(4) for _ in range(rank))
        type_id, n_bytes = self._integer(1), self._integer(4)
        if type_id >= len(_ELEMENTS):
            raise self._error(f"tensor {name} has unknown element type {type_id}")
        tensor = StoredTensor(self.path, name, _ELEMENTS[type_id], shape, self.file.tell())
        if tensor.n_bytes != n_bytes:
            raise self._error(f"tensor {name} has {n_bytes} bytes, expected {tensor.n_bytes}")
        if n_bytes > self.size - tensor.offset:
            raise self._error(f"tensor {name} lies beyond the end of the file")
        self.file.seek(n_bytes, 1)
        return tensor

    def _count(self) -> int:
        count = self._integer(4)
        if count > _MAX_VARIABLES:
            raise self._error(f"claims to hold {count} variables")
        return count

    def _string(self) -> str:
        text = self._bytes(self._integer(2)).rstrip(b"\0")
        try:
            return text.decode("ascii")
        except UnicodeDecodeError as error:
            raise self._error("is damaged: a name in it is not text") from error

    def _integer(self, n_bytes: int) -> int:
        return int.from_bytes(self._bytes(n_bytes), "little")

    def _bytes(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) != count:
            raise self._error("is cut short")
        return data

    def _error(self, what: str) -> CheckpointError:
        return CheckpointError(f"{self.path}: {what}", self.path)


@dataclass(frozen=True, slots=True)
class _ScaledTensor:
    """An int8 matrix with a factor a row: value = stored / scale."""

    stored: StoredTensor
    scale: StoredTensor

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    def read(self) -> Floats:
        values = self.stored.read_stored().astype(np.float32)
        scale = self.scale.read().astype(np.float32)
        if not (np.isfinite(scale) & (scale != 0)).all():
            path, name = self.scale.path, self.scale.name
            raise CheckpointError(f"{path}: tensor {name} has a scale that is no number", path)
        values /= scale.reshape(-1, *(1,) * (values.ndim - 1))
        return values


def _find(variables: Variables, name: str, part: int, parts: int, path: Path) -> Readable:
    """Rows of the variable `name`: the whole, or one of `parts` equal parts."""
    if name not in variables:
        raise CheckpointError(f"{path}: tensor {name} is missing", path)
    whole = variables[name]
    if not whole.shape or whole.shape[0] % parts:
        raise CheckpointError(f"{path}: tensor {name} does not divide in {parts}", path)
    height = whole.shape[0] // parts
    tensor = whole.rows(part * height, (part + 1) * height)
    if tensor.element in FLOAT_TYPES:
        return tensor
    if tensor.element != "i8":
        raise CheckpointError(
            f"{path}: tensor {name} is {tensor.element}; convert the checkpoint anew with "
            "--quantization float16 or int8",
            path,
        )
    scale = variables.get(f"{name}_scale")
    if scale is None or scale.shape != whole.shape[:1] or scale.element not in FLOAT_TYPES:
        raise CheckpointError(f"{path}: tensor {name}_scale is missing or misshapen", path)
    return _ScaledTensor(tensor, scale.rows(part * height, (part + 1) * height))


def _read_dimensions(variables: Variables, path: Path) -> Dimensions:
    _, n_mels, _ = _shape(variables, "encoder/conv1/weight", 3, path)
    n_audio_context, _ = _shape(variables, "encoder/position_encodings/encodings", 2, path)
    n_text_context, _ = _shape(variables, "decoder/position_encodings/encodings", 2, path)
    n_vocab, n_state = _shape(variables, "decoder/embeddings/weight", 2, path)
    sizes = {
        "n_mels": (n_mels, layout.MAX_MELS),
        "n_state": (n_state, layout.MAX_STATES),
        "n_heads": (_read_heads(variables, n_state, path), layout.MAX_STATES),
        "n_encoder_layers": (_count_layers(variables, "encoder"), layout.MAX_LAYERS),
        "n_decoder_layers": (_count_layers(variables, "decoder"), layout.MAX_LAYERS),
        "n_vocab": (n_vocab, layout.MAX_VOCAB),
        "n_audio_context": (n_audio_context, layout.MAX_CONTEXT),
        "n_text_context": (n_text_context, layout.MAX_CONTEXT),
    }
    for name, (size, limit) in sizes.items():
        if not 1 <= size <= limit:
            raise CheckpointError(f"{path}: {name} is {size}, expected 1 to {limit}", path)
    return layout.make_dimensions(path, **{name: size for name, (size, _) in sizes.items()})


def _shape(variables: Variables, name: str, rank: int, path: Path) -> tuple[int, ...]:
    if name not in variables or len(variables[name].shape) != rank:
        raise CheckpointError(f"{path}: tensor {name} is missing or misshapen", path)
    return variables[name].shape


def _count_layers(variables: Variables, side: str) -> int:
    n = 0
    while f"{side}/layer_{n}/ffn/linear_0/weight" in variables:
        n += 1
    return n


def _read_heads(variables: Variables, n_state: int, path: Path) -> int:
    counts = {_read_scalar(variables, f"{side}/num_heads") for side in ("encoder", "decoder")}
    if len(counts) > 1:
        raise CheckpointError(f"{path}: encoder and decoder differ in their heads", path)
    return counts.pop() or n_state // _HEAD_STATES


def _read_scalar(variables: Variables, name: str) -> int | None:
    tensor = variables.get(name)
    if tensor is None or tensor.shape != () or tensor.element in FLOAT_TYPES:
        return None
    return int(tensor.read_stored().item())


def _read_settings(path: Path, dimensions: Dimensions) -> GenerationSettings:
    config = JsonFile.read(path)
    heads = config.head_pairs("alignment_heads")
    return GenerationSettings(
        suppress_tokens=config.token_ids("suppress_ids", dimensions.n_vocab),
        begin_suppress_tokens=config.token_ids("suppress_ids_begin", dimensions.n_vocab),
        alignment_heads=layout.choose_alignment_heads(heads, dimensions),
    )


Place = tuple[str, int, int]
"""A variable, and which of how many equal parts of its rows."""


def _names(dimensions: Dimensions) -> dict[str, Place]:
    """Name of a weight in `network.Weights` → where it stands here."""
    whole = {
        "encoder.conv1.weight": "encoder/conv1/weight",
        "encoder.conv1.bias": "encoder/conv1/bias",
        "encoder.conv2.weight": "encoder/conv2/weight",
        "encoder.conv2.bias": "encoder/conv2/bias",
        "encoder.embed_positions.weight": "encoder/position_encodings/encodings",
        "decoder.embed_tokens.weight": "decoder/embeddings/weight",
        "decoder.embed_positions.weight": "decoder/position_encodings/encodings",
    }
    names: dict[str, Place] = {name: (variable, 0, 1) for name, variable in whole.items()}
    for side, n_layers in (
        ("encoder", dimensions.n_encoder_layers),
        ("decoder", dimensions.n_decoder_layers),
    ):
        names.update(_norm_names(f"{side}.layer_norm", f"{side}/layer_norm"))
        for n in range(n_layers):
            names.update(_layer_names(f"{side}.layers.{n}", f"{side}/layer_{n}", side))
    return names


def _layer_names(ours: str, theirs: str, side: str) -> Iterator[tuple[str, Place]]:
    yield from _norm_names(f"{ours}.self_attn_layer_norm", f"{theirs}/self_attention/layer_norm")
    stacked = f"{theirs}/self_attention/linear_0"
    for part, projection in enumerate(("q_proj", "k_proj", "v_proj")):
        yield from _linear_names(f"{ours}.self_attn.{projection}", (stacked, part, 3))
    output = f"{theirs}/self_attention/linear_1"
    yield from _linear_names(f"{ours}.self_attn.out_proj", (output, 0, 1))
    if side == "decoder":
        yield from _cross_attention_names(ours, theirs)
    yield from _norm_names(f"{ours}.final_layer_norm", f"{theirs}/ffn/layer_norm")
    yield from _linear_names(f"{ours}.fc1", (f"{theirs}/ffn/linear_0", 0, 1))
    yield from _linear_names(f"{ours}.fc2", (f"{theirs}/ffn/linear_1", 0, 1))


def _cross_attention_names(ours: str, theirs: str) -> Iterator[tuple[str, Place]]:
    yield from _norm_names(f"{ours}.encoder_attn_layer_norm", f"{theirs}/attention/layer_norm")
    for projection, place in (
        ("q_proj", (f"{theirs}/attention/linear_0", 0, 1)),
        ("k_proj", (f"{theirs}/attention/linear_1", 0, 2)),
        ("v_proj", (f"{theirs}/attention/linear_1", 1, 2)),
        ("out_proj", (f"{theirs}/attention/linear_2", 0, 1)),
    ):
        yield from _linear_names(f"{ours}.encoder_attn.{projection}", place)


def _linear_names(ours: str, place: Place) -> Iterator[tuple[str, Place]]:
    theirs, part, parts = place
    yield f"{ours}.weight", (f"{theirs}/weight", part, parts)
    if not ours.endswith("k_proj"):
        yield f"{ours}.bias", (f"{theirs}/bias", part, parts)


def _norm_names(ours: str, theirs: str) -> Iterator[tuple[str, Place]]:
    yield f"{ours}.weight", (f"{theirs}/gamma", 0, 1)
    yield f"{ours}.bias", (f"{theirs}/beta", 0, 1)
