"""The safetensors container: a JSON header, then the tensors' bytes.

Read here and not by the `safetensors` library, whose numpy side has no bfloat16. The format:
u64 length of the header, the header (name → dtype, shape, data_offsets from the header's end),
the data; https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

from pathlib import Path

from subvino.checkpoints.json_file import parse_object
from subvino.checkpoints.stored import ElementType, StoredTensor
from subvino.errors import CheckpointError

# The limit of the reference implementation.
_MAX_HEADER_BYTES = 100_000_000
_ELEMENTS: dict[str, ElementType] = {"F32": "f32", "F16": "f16", "BF16": "bf16"}


def read_tensors(path: Path) -> dict[str, StoredTensor]:
    """Name → tensor, for every float tensor in the file at `path`.

    Raises:
        CheckpointError: the header is damaged, or names bytes that the file does not have.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header_size = int.from_bytes(file.read(8), "little")
            if size < 8 or header_size > min(size - 8, _MAX_HEADER_BYTES):
                raise CheckpointError(f"{path}: is cut short, or no safetensors file", path)
            header = parse_object(path, file.read(header_size))
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read ({error.strerror})", path) from error
    start = 8 + header_size
    found = (
        _read_entry(path, name, entry, start, size)
        for name, entry in header.items()
        if name != "__metadata__"
    )
    return {tensor.name: tensor for tensor in found if tensor is not None}


def _read_entry(path: Path, name: str, entry: object, start: int, size: int) -> StoredTensor | None:
    """The tensor that a header entry describes, or None where it holds no floats."""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        raise CheckpointError(f"{path}: the entry of tensor {name} is damaged", path)
    if entry["dtype"] not in _ELEMENTS:
        return None
    shape = _read_sizes(path, name, entry.get("shape"))
    begin_end = _read_sizes(path, name, entry.get("data_offsets"))
    if len(begin_end) != 2 or not begin_end[0] <= begin_end[1] <= size - start:
        raise CheckpointError(f"{path}: tensor {name} lies beyond the end of the file", path)
    begin, end = begin_end
    tensor = StoredTensor(path, name, _ELEMENTS[entry["dtype"]], shape, start + begin)
    if tensor.n_bytes != end - begin:
        raise CheckpointError(
            f"{path}: tensor {name} of shape {shape} has {end - begin} bytes, "
            f"expected {tensor.n_bytes}",
            path,
        )
    return tensor


def _read_sizes(path: Path, name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(item) is int and item >= 0 for item in value):
        raise CheckpointError(f"{path}: the entry of tensor {name} is damaged", path)
    return tuple(value)
