"""Tensors that stay in their file until they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from subvino.errors import CheckpointError

Floats = npt.NDArray[np.floating]
ElementType = Literal["f32", "f16", "bf16", "i8", "i16", "i32"]

# numpy has no bfloat16: its bits are read as they stand, and widened in `StoredTensor.read`.
_STORAGE: dict[ElementType, str] = {
    "f32": "<f4",
    "f16": "<f2",
    "bf16": "<u2",
    "i8": "i1",
    "i16": "<i2",
    "i32": "<i4",
}
FLOAT_TYPES: tuple[ElementType, ...] = ("f32", "f16", "bf16")


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor lies in a file: row-major, little endian, `offset` bytes from the start."""

    path: Path
    name: str
    element: ElementType
    shape: tuple[int, ...]
    offset: int

    @property
    def n_bytes(self) -> int:
        """Length in the file."""
        return math.prod(self.shape) * np.dtype(_STORAGE[self.element]).itemsize

    def rows(self, start: int, stop: int) -> StoredTensor:
        """The part of the tensor from row `start` to before row `stop`."""
        row = replace(self, shape=self.shape[1:])
        return replace(
            self, shape=(stop - start, *self.shape[1:]), offset=self.offset + start * row.n_bytes
        )

    def read_stored(self) -> npt.NDArray[np.generic]:
        """The elements as they stand in the file, in the tensor's shape."""
        count = math.prod(self.shape)
        # A read, not a memory map: a file cut short under us is then an error, not a SIGBUS.
        try:
            values = np.fromfile(self.path, _STORAGE[self.element], count, offset=self.offset)
        except OSError as error:
            raise CheckpointError(f"{self.path}: can't be read ({error})", self.path) from error
        if values.size != count:
            raise CheckpointError(
                f"{self.path}: ends in the middle of tensor {self.name}", self.path
            )
        return values.reshape(self.shape)

    def read(self) -> Floats:
        """The values: float16 where the file has float16, else float32; no integers."""
        stored = self.read_stored()
        if self.element == "bf16":
            wide = stored.astype(np.uint32)
            wide <<= 16
            return wide.view(np.float32)
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)


class Readable(Protocol):
    """Something whose values can be read out of a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""

    def read(self) -> Floats:
        """The values, float16 or float32."""


class StoredWeights(Mapping[str, Floats]):
    """Weights by name; each look-up reads the file, nothing is kept."""

    def __init__(self, tensors: Mapping[str, Readable]) -> None:
        """`tensors`: by the names of `network.Weights`."""
        self._tensors = tensors

    def __getitem__(self, name: str) -> Floats:
        """The values of one weight."""
        return self._tensors[name].read()

    def __contains__(self, name: object) -> bool:
        """Whether there is such a weight; Mapping's own would read it to know."""
        return name in self._tensors

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tensors)
