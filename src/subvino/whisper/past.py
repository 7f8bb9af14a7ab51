"""The past of the windows in a batch: keys and values of every token fed so far, a column each.

Floor 2 of the road. The hypotheses of a window share its columns and are told apart by the mask, so
that nothing is copied when beams change places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.whisper.slots import FLOAT32

HIDDEN = np.float32(-30_000.0)
"""Added to a score so that exp gives 0, and a finite bf16 and f16."""

BLOCK = 64
"""Columns come in blocks: each new shape costs the device a compile."""


class Past:
    """For each slot the columns of a window with `width` hypotheses."""

    def __init__(self, caches: Sequence[ov.Tensor], width: int) -> None:
        """Take caches (n_slots, heads, `BLOCK`, d / heads).

        A slot of them is cleared when it is first used, so that only slots in use take memory: what
        is hidden by the mask still takes part with weight 0, and 0 times whatever the memory held
        may be NaN.
        """
        self.width = width
        self._caches = list(caches)
        n_slots = caches[0].shape[0]
        self._mask = np.full((n_slots, width, BLOCK), HIDDEN, np.float32)
        self._n_columns = np.zeros(n_slots, np.int64)
        self._is_clear = np.zeros(n_slots, np.bool_)

    @property
    def n_room(self) -> int:
        """Columns that there is room for."""
        return int(self._mask.shape[2])

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens."""
        self._clear(slot)
        self._mask[slot] = HIDDEN
        self._n_columns[slot] = 0

    def move(self, source: int, target: int) -> None:
        """Copy a slot's tokens into another slot."""
        for cache in self._caches:
            cache.data[target] = cache.data[source]
        self._is_clear[target] = self._is_clear[source]
        self._mask[target] = self._mask[source]
        self._n_columns[target] = self._n_columns[source]

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said."""
        self._mask[slot] = self._mask[slot][list(parents)]

    def mask(self, n: int) -> FLOAT32:
        """What new tokens of the first n slots see, one of each hypothesis.

        (n, 1, width, columns + width).
        """
        width, n_room = self.width, self.n_room
        mask = np.empty((n, 1, width, n_room + width), np.float32)
        mask[:, 0, :, :n_room] = self._mask[:n]
        mask[:, 0, :, n_room:] = np.where(np.eye(width, dtype=bool), 0.0, HIDDEN)
        return mask

    def keep(self, present: npt.NDArray[np.generic], n: int) -> None:
        """Write new keys and values (n_caches, n, heads, width, d / heads) of the first slots."""
        slots = np.arange(n)[:, None]
        columns = self._n_columns[:n, None] + np.arange(self.width)
        for cache, new in zip(self._caches, present, strict=True):
            cache.data[slots, :, columns] = new.swapaxes(1, 2)
        self._mask[slots, np.arange(self.width), columns] = 0.0
        self._n_columns[:n] += self.width

    def fill(self, slot: int, present: npt.NDArray[np.generic]) -> None:
        """Begin with tokens that all hypotheses share: (n_caches, 1, heads, n, d / heads)."""
        n = present.shape[3]
        for cache, new in zip(self._caches, present, strict=True):
            cache.data[slot, :, :n] = new[0]
        self._mask[slot, :, :n] = 0.0
        self._n_columns[slot] = n

    def n_wanted(self, n: int) -> int:
        """Columns that the next step of the first n slots needs, in whole blocks.

        Just enough, because all columns are read at every token: once a long window has left, the
        others need not drag its columns along.
        """
        return to_blocks(int(self._n_columns[:n].max()) + self.width)

    def resize(self, caches: Sequence[ov.Tensor]) -> None:
        """Go on in caches of another number of columns; what lies beyond them is lost."""
        n_columns = caches[0].shape[2]
        kept = min(n_columns, self.n_room)
        moved = np.flatnonzero(self._is_clear)
        for new, old in zip(caches, self._caches, strict=True):
            for slot in moved:
                new.data[slot, :, :kept] = old.data[slot, :, :kept]
                new.data[slot, :, kept:] = 0
        self._caches = list(caches)
        mask = np.full((*self._mask.shape[:2], n_columns), HIDDEN, np.float32)
        mask[:, :, :kept] = self._mask[:, :, :kept]
        self._mask = mask

    def _clear(self, slot: int) -> None:
        if not self._is_clear[slot]:
            for cache in self._caches:
                cache.data[slot] = 0
            self._is_clear[slot] = True

    def parts(self, n: int) -> list[ov.Tensor]:
        """The caches of the first n slots, sharing their memory."""
        return [part(cache, 0, n) for cache in self._caches]


def to_blocks(n_columns: int) -> int:
    """The least number of columns in whole blocks."""
    return -(-n_columns // BLOCK) * BLOCK


def part(cache: ov.Tensor, first: int, stop: int) -> ov.Tensor:
    """Slots `first` to `stop` - 1 of a cache, sharing its memory."""
    shape = list(cache.shape)
    return ov.Tensor(cache, [first, 0, 0, 0], [stop, *shape[1:]])
