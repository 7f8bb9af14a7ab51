"""JSON files of a checkpoint, whose fields are checked as they are taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from subvino.errors import CheckpointError

# The largest real one here, an index of a sharded large model, is under 200 kB.
_MAX_BYTES = 16 * 2**20


def parse_object(path: Path, text: bytes) -> Mapping[str, object]:
    """The JSON object in `text`, which came out of `path`."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: is not JSON ({error})", path) from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: is not a JSON object", path)
    return values


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON object and the file it came from, for messages."""

    path: Path
    values: Mapping[str, object]

    @classmethod
    def read(cls, path: Path) -> JsonFile:
        """The object in the file at `path`."""
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                text = file.read(min(size, _MAX_BYTES) + 1)
        except OSError as error:
            raise CheckpointError(f"{path}: can't be read ({error.strerror})", path) from error
        if len(text) > _MAX_BYTES:
            raise CheckpointError(f"{path}: is over {_MAX_BYTES} bytes long", path)
        return cls(path, parse_object(path, text))

    def size(self, key: str, limit: int) -> int:
        """The integer under `key`, from 1 to `limit`."""
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= limit:
            raise CheckpointError(
                f"{self.path}: {key} is {value!r}, expected a number from 1 to {limit}", self.path
            )
        return value

    def token_ids(self, key: str, n_vocab: int) -> tuple[int, ...]:
        """The ids under `key`; () where it is absent, null or the sentinel [-1]."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise CheckpointError(f"{self.path}: {key} is not a list of token ids", self.path)
        ids = tuple(item for item in value if item >= 0)
        if any(item >= n_vocab for item in ids):
            raise CheckpointError(
                f"{self.path}: {key} names a token beyond the {n_vocab} there are", self.path
            )
        return ids

    def head_pairs(self, key: str) -> tuple[tuple[int, int], ...]:
        """The (layer, head) pairs under `key`; () where there are none."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise CheckpointError(f"{self.path}: {key} is not a list of pairs", self.path)
        return tuple(self._pair(key, item) for item in value)

    def _pair(self, key: str, item: object) -> tuple[int, int]:
        if not isinstance(item, list) or len(item) != 2 or not all(type(n) is int for n in item):
            raise CheckpointError(f"{self.path}: {key} holds {item!r}, expected a pair", self.path)
        return item[0], item[1]
