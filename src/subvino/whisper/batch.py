"""The batch: a fixed number of slots, each holding one window while it is being decoded.

Floor 2 of the road. A slot has the window's cross-attention keys and values and a past: the keys
and values of every token fed so far, a column each. The hypotheses of a window (one when decoding
greedily, several in beam search) share both and are told apart by the mask, so that nothing is
copied when beams change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.whisper.slots import FLOAT32, INT32

if TYPE_CHECKING:
    from subvino.whisper.engine import Engine

_HIDDEN = np.float32(-30_000.0)  # low enough that exp gives 0, and a finite bf16 and f16
_BLOCK = 64  # columns come in blocks: each new shape costs the device a compile


class Batch:
    """Slots 0 to `n_slots - 1`, `width` hypotheses each; a step runs the first of them."""

    def __init__(self, engine: Engine, n_slots: int, width: int) -> None:
        """Allocate the caches; memory is touched as windows enter."""
        self._engine = engine
        self._width = width
        self._cross = engine.new_caches(n_slots, engine.dimensions.n_audio_context, cleared=False)
        self._past = engine.new_caches(n_slots, _BLOCK, cleared=True)
        self._mask = np.full((n_slots, width, _BLOCK), _HIDDEN, np.float32)
        self._n_columns = np.zeros(n_slots, np.int64)
        self._bound = 0

    @property
    def n_slots(self) -> int:
        """Windows that fit at once."""
        return len(self._mask)

    def enter(self, slot: int, mel: FLOAT32) -> None:
        """Let a window into the slot; mel: (n_mels, 3000)."""
        self._engine.encode(mel, [_part(cache, slot, slot + 1) for cache in self._cross])
        self.restart(slot)

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens and keep its window."""
        self._mask[slot] = _HIDDEN
        self._n_columns[slot] = 0

    def move(self, source: int, target: int) -> None:
        """Copy a window and its past into another slot."""
        for cache in (*self._cross, *self._past):
            cache.data[target] = cache.data[source]
        self._mask[target] = self._mask[source]
        self._n_columns[target] = self._n_columns[source]

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said."""
        self._mask[slot] = self._mask[slot][list(parents)]

    def step(self, tokens: INT32, positions: INT32) -> None:
        """Feed a token of each hypothesis of the first slots; the logits stay in the engine.

        tokens, positions: (slots, width).
        """
        n = len(tokens)
        self._make_room(n)
        n_past = self._mask.shape[2]
        mask = np.empty((n, 1, self._width, n_past + self._width), np.float32)
        mask[:, 0, :, :n_past] = self._mask[:n]
        mask[:, 0, :, n_past:] = np.where(np.eye(self._width, dtype=bool), 0.0, _HIDDEN)
        self._keep(self._engine.decode(tokens, positions, mask), n)

    def feed(self, slot: int, tokens: INT32) -> None:
        """Feed the first tokens (n,) of a window to all its hypotheses; nothing is chosen."""
        n = len(tokens)
        past = self._engine.new_caches(1, 1, cleared=True)  # of one column, which the mask hides
        self._engine.bind(past, [_part(cache, slot, slot + 1) for cache in self._cross])
        self._bound = 0
        present = self._engine.decode(tokens[None], _places(n), _causal(n))
        while self._mask.shape[2] < n:
            self._resize(self._mask.shape[2] + _BLOCK)
        for cache, new in zip(self._past, present, strict=True):
            cache.data[slot, :, :n] = new[0]
        self._mask[slot, :, :n] = 0.0
        self._n_columns[slot] = n

    def attend(self, slot: int, tokens: INT32) -> FLOAT32 | None:
        """How much each token (n,) attends to each encoder state: (n, 1500)."""
        n = min(-(-len(tokens) // _BLOCK) * _BLOCK, self._engine.dimensions.n_text_context)
        filled = np.zeros(n, np.int32)  # what stands behind the tokens is not seen by them
        filled[: len(tokens)] = tokens
        cross = [_part(cache, slot, slot + 1) for cache in self._cross]
        attention = self._engine.attend(filled[None], _places(n), _causal(n), cross)
        return None if attention is None else attention[: len(tokens)]

    def _keep(self, present: npt.NDArray[np.generic], n: int) -> None:
        """Write the new keys and values into the next columns, each seen by its hypothesis."""
        slots = np.arange(n)[:, None]
        columns = self._n_columns[:n, None] + np.arange(self._width)
        for cache, new in zip(self._past, present, strict=True):
            cache.data[slots, :, columns] = new.swapaxes(1, 2)
        self._mask[slots, np.arange(self._width), columns] = 0.0
        self._n_columns[:n] += self._width

    def _make_room(self, n: int) -> None:
        """Bind the first n slots, with just enough columns for the next token.

        Just enough, because the whole past is read at every token: once a long window has left,
        the others need not drag its columns along.
        """
        needed = int(self._n_columns[:n].max()) + self._width
        wanted = -(-needed // _BLOCK) * _BLOCK
        if wanted != self._mask.shape[2]:
            self._resize(wanted)
        elif self._bound == n:
            return
        past = [_part(cache, 0, n) for cache in self._past]
        self._engine.bind(past, [_part(cache, 0, n) for cache in self._cross])
        self._bound = n

    def _resize(self, n_columns: int) -> None:
        kept = min(n_columns, self._mask.shape[2])
        resized = self._engine.new_caches(self.n_slots, n_columns, cleared=True)
        for new, old in zip(resized, self._past, strict=True):
            new.data[:, :, :kept] = old.data[:, :, :kept]
        self._past = resized
        mask = np.full((self.n_slots, self._width, n_columns), _HIDDEN, np.float32)
        mask[:, :, :kept] = self._mask[:, :, :kept]
        self._mask = mask


def _places(n: int) -> INT32:
    """Positions of n tokens of one window."""
    return np.arange(n, dtype=np.int32)[None]


def _causal(n: int) -> FLOAT32:
    """The mask of n tokens fed at once after a past of one hidden column: (1, 1, n, 1 + n)."""
    seen = np.triu(np.full((n, n), _HIDDEN, np.float32), 1)
    return np.concatenate([np.full((n, 1), _HIDDEN, np.float32), seen], axis=1)[None, None]


def _part(cache: ov.Tensor, first: int, stop: int) -> ov.Tensor:
    """Slots first to stop - 1 of a cache, sharing its memory."""
    shape = list(cache.shape)
    return ov.Tensor(cache, [first, 0, 0, 0], [stop, *shape[1:]])
