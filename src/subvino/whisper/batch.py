"""The batch: a fixed number of slots, each holding one window while it is being decoded.

Floor 2 of the road. A slot has the window's cross-attention keys and values, and its past. Slots
that are stepped together lie side by side, so that the network reads them in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import openvino as ov

from subvino.whisper.past import BLOCK, HIDDEN, Past, part, to_blocks
from subvino.whisper.slots import FLOAT32, INT32

if TYPE_CHECKING:
    from subvino.whisper.engine import Engine


@dataclass(slots=True)
class _Stage:
    """Windows of one width: their past, and the request that is bound to slots of it."""

    past: Past
    request: ov.InferRequest
    bound: tuple[int, int, int] | None = None


class Batch:
    """Slots for windows of one hypothesis, or of `width`; see `slots.Slots`."""

    def __init__(self, engine: Engine, n_slots: int, width: int) -> None:
        """Allocate the caches; memory is touched as windows enter."""
        self._engine = engine
        self._n_slots = n_slots
        self._cross = engine.new_caches(n_slots, engine.dimensions.n_audio_context, cleared=False)
        self._widths = [width] * n_slots
        self._stages: dict[int, _Stage] = {}
        self._feeding: ov.InferRequest | None = None

    def enter(self, slot: int, mel: FLOAT32) -> None:
        """Let a window into the slot; mel: (n_mels, 3000)."""
        self._engine.encode(mel, self._cross_parts(slot, slot + 1))

    def restart(self, slot: int, width: int) -> None:
        """Forget the slot's tokens and keep its window; it has `width` hypotheses from here on."""
        self._widths[slot] = width
        self._stage(width).past.restart(slot)

    def move(self, source: int, target: int) -> None:
        """Copy a window and its past into another slot."""
        for cache in self._cross:
            cache.data[target] = cache.data[source]
        self._widths[target] = self._widths[source]
        self._stage(self._widths[source]).past.move(source, target)

    def swap(self, slot: int, other: int) -> None:
        """Let two windows, each with its past, change places."""
        for cache in self._cross:
            cache.data[[slot, other]] = cache.data[[other, slot]]
        for stage in self._stages.values():
            stage.past.swap(slot, other)
        self._widths[slot], self._widths[other] = self._widths[other], self._widths[slot]

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said."""
        self._stage(self._widths[slot]).past.reorder(slot, parents)

    def step(self, first: int, tokens: INT32, positions: INT32) -> None:
        """Feed a token of each hypothesis of the slots from `first` on; see `slots.Slots`."""
        stop = first + len(tokens)
        stage = self._stage(tokens.shape[1])
        self._make_room(stage, first, stop)
        mask = stage.past.mask(first, stop)
        present = self._engine.decode(stage.request, tokens, positions, mask)
        stage.past.keep(present, first, stop)

    def feed(self, slot: int, tokens: INT32) -> None:
        """Feed the first tokens (n,) of a window to all its hypotheses; nothing is chosen."""
        n = len(tokens)
        stage = self._stage(self._widths[slot])
        if self._feeding is None:
            self._feeding = self._engine.new_request()
        past = self._engine.new_caches(1, 1, cleared=True)  # of one column, which the mask hides
        self._engine.bind(self._feeding, past, self._cross_parts(slot, slot + 1))
        present = self._engine.decode(self._feeding, tokens[None], _places(n), _causal(n))
        if stage.past.n_room < n:
            self._resize(stage, to_blocks(n))
        stage.past.fill(slot, present)

    def attend(self, slot: int, tokens: INT32) -> FLOAT32 | None:
        """How much each token (n,) attends to each encoder state: (n, 1500)."""
        n = min(to_blocks(len(tokens)), self._engine.dimensions.n_text_context)
        filled = np.zeros(n, np.int32)  # what stands behind the tokens is not seen by them
        filled[: len(tokens)] = tokens
        cross = self._cross_parts(slot, slot + 1)
        attention = self._engine.attend(filled[None], _places(n), _causal(n), cross)
        return None if attention is None else attention[: len(tokens)]

    def _stage(self, width: int) -> _Stage:
        if width not in self._stages:
            caches = self._engine.new_caches(self._n_slots, BLOCK, cleared=False)
            self._stages[width] = _Stage(Past(caches, width), self._engine.new_request())
        return self._stages[width]

    def _make_room(self, stage: _Stage, first: int, stop: int) -> None:
        """Bind these slots, with just enough columns for the next token."""
        n_columns = stage.past.n_wanted(first, stop)
        if n_columns != stage.past.n_room:
            self._resize(stage, n_columns)
        wanted = (first, stop, n_columns)
        if stage.bound != wanted:
            cross = self._cross_parts(first, stop)
            self._engine.bind(stage.request, stage.past.parts(first, stop), cross)
            stage.bound = wanted

    def _resize(self, stage: _Stage, n_columns: int) -> None:
        caches = self._engine.new_caches(self._n_slots, n_columns, cleared=False)
        slots = [slot for slot, width in enumerate(self._widths) if width == stage.past.width]
        stage.past.resize(caches, slots)
        stage.bound = None

    def _cross_parts(self, first: int, stop: int) -> list[ov.Tensor]:
        return [part(cache, first, stop) for cache in self._cross]


def _places(n: int) -> INT32:
    """Positions of n tokens of one window."""
    return np.arange(n, dtype=np.int32)[None]


def _causal(n: int) -> FLOAT32:
    """The mask of n tokens fed at once after a past of one hidden column: (1, 1, n, 1 + n)."""
    seen = np.triu(np.full((n, n), HIDDEN, np.float32), 1)
    return np.concatenate([np.full((n, 1), HIDDEN, np.float32), seen], axis=1)[None, None]
