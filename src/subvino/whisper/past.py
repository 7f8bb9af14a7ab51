"""The past of the windows in a batch: keys and values of every token fed so far, a column each.

Floor 2 of the road. The hypotheses of a window share its columns and are told apart by the mask, so
that nothing is copied when beams change places. A column that no hypothesis goes back to any more
is used again: beams soon have the same beginning, so that five take little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
        self._is_clear = np.zeros(n_slots, np.bool_)

    @property
    def n_room(self) -> int:
        """Columns that there is room for."""
        return int(self._mask.shape[2])

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens."""
        self._clear(slot)
        self._mask[slot] = HIDDEN

    def move(self, source: int, target: int) -> None:
        """Copy a slot's tokens into another slot."""
        for cache in self._caches:
            cache.data[target] = cache.data[source]
        self._is_clear[target] = self._is_clear[source]
        self._mask[target] = self._mask[source]

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
        columns = self._next_columns(n)
        for cache, new in zip(self._caches, present, strict=True):
            cache.data[slots, :, columns] = new.swapaxes(1, 2)
        self._mask[slots, np.arange(self.width), columns] = 0.0

    def fill(self, slot: int, present: npt.NDArray[np.generic]) -> None:
        """Begin with tokens that all hypotheses share: (n_caches, 1, heads, n, d / heads)."""
        n = present.shape[3]
        for cache, new in zip(self._caches, present, strict=True):
            cache.data[slot, :, :n] = new[0]
        self._mask[slot, :, :n] = 0.0

    def n_wanted(self, n: int) -> int:
        """Columns that the next step of the first n slots needs, in whole blocks.

        Just enough, because all columns are read at every token: once a long window has left, the
        others need not drag its columns along.
        """
        used = np.flatnonzero(self._is_used(n).any(axis=0))
        n_used = int(used[-1]) + 1 if len(used) else 0
        return to_blocks(max(n_used, int(self._next_columns(n).max()) + 1))

    def _is_used(self, n: int) -> npt.NDArray[np.bool_]:
        """Which columns of the first n slots any hypothesis sees: (n, columns)."""
        seen: npt.NDArray[np.bool_] = (self._mask[:n] == 0).any(axis=1)
        return seen

    def _next_columns(self, n: int) -> npt.NDArray[np.intp]:
        """Where the next tokens of the first n slots go: (n, width), the first that are not used.

        They depend on the slot alone, and may lie beyond the room there is.
        """
        beyond = np.zeros((n, self.width), np.bool_)
        is_used = np.concatenate([self._is_used(n), beyond], axis=1)
        return np.argsort(is_used, axis=1, kind="stable")[:, : self.width]

    def resize(self, n_columns: int, n: int, new_cache: Callable[[], ov.Tensor]) -> None:
        """Go on in caches of another number of columns; what lies beyond them is lost.

        So is what is in other slots than the first n. new_cache: makes one of that many columns;
        each takes the place of an old one before the next is made.
        """
        kept = min(n_columns, self.n_room)
        self._is_clear[n:] = False
        moved = np.flatnonzero(self._is_clear)
        for i, old in enumerate(self._caches):
            new = new_cache()
            for slot in moved:
                new.data[slot, :, :kept] = old.data[slot, :, :kept]
                new.data[slot, :, kept:] = 0
            self._caches[i] = new
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
