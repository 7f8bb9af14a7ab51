"""The batch: a fixed number of slots, each holding one window while it is being decoded.

Floor 2 of the road. A slot has the window's cross-attention keys and values, and its past. Slots
in use lie side by side, so that the network reads them in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.whisper.past import BLOCK, HIDDEN, Past, part, to_blocks
from subvino.whisper.slots import FLOAT32, INT32

if TYPE_CHECKING:
    from subvino.whisper.engine import Engine


class Batch:
    """Slots for windows of `width` hypotheses; see `slots.Slots`.

    n_states: what a window is heard in.
    """

    def __init__(self, engine: Engine, n_slots: int, width: int, n_states: int) -> None:
        """Allocate the caches; memory is touched as windows enter."""
        self._engine = engine
        self._n_slots, self._n_states = n_slots, n_states
        self._n_used = 0
        self._cross = engine.new_cross(n_slots, n_states)
        self._past = Past(engine.new_caches(n_slots, BLOCK, cleared=False), width)
        self._nothing = engine.new_caches(1, 1, cleared=False)
        self._request = engine.new_request()
        self._bound: tuple[int, int] | None = None
        self._feeding: ov.InferRequest | None = None
        self._queries: list[list[npt.NDArray[np.generic]]] = [[] for _ in range(n_slots)]

    def enter(self, slot: int, heard: ov.Tensor) -> None:
        """Let a window into the slot; heard: from `Engine.hear`."""
        self._engine.encode(heard, self._cross_parts(slot, slot + 1))
        self._n_used = max(self._n_used, slot + 1)

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens and keep its window."""
        self._past.restart(slot)
        self._queries[slot] = []

    def move(self, source: int, target: int) -> None:
        """Copy a window and its past into another slot."""
        for cache in self._cross:
            cache.data[target] = cache.data[source]
        self._past.move(source, target)
        self._queries[target] = self._queries[source]

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said."""
        self._past.reorder(slot, parents)

    def step(self, tokens: INT32, positions: INT32) -> None:
        """Feed a token of each hypothesis of the first slots; see `slots.Slots`."""
        n = self._n_used = len(tokens)
        self._make_room(n)
        present = self._engine.decode(self._request, tokens, positions, self._past.mask(n))
        self._past.keep(present, n)
        if self._past.width == 1 and (queries := self._engine.queries()) is not None:
            for own, new in zip(self._queries, queries[:, :, 0].copy(), strict=False):
                own.append(new)

    def feed(self, slot: int, tokens: INT32) -> None:
        """Feed the first tokens (n,) of a window to all its hypotheses; nothing is chosen."""
        n = len(tokens)
        if self._feeding is None:
            self._feeding = self._engine.new_request()
        past = self._engine.new_caches(1, 1, cleared=True)  # of one column, which the mask hides
        self._engine.bind(self._feeding, past, self._cross_parts(slot, slot + 1))
        present = self._engine.decode(self._feeding, tokens[None], _places(n), _causal(n))
        if self._past.n_room < n:
            self._resize(to_blocks(n))
        self._past.fill(slot, present)

    def attend(self, slot: int, tokens: INT32) -> FLOAT32 | None:
        """How much each token (n,) attends to each encoder state: (n, 1500)."""
        n = min(to_blocks(len(tokens)), self._engine.dimensions.n_text_context)
        filled = np.zeros(n, np.int32)  # what stands behind the tokens is not seen by them
        filled[: len(tokens)] = tokens
        cross = self._cross_parts(slot, slot + 1)
        attention = self._engine.attend(filled[None], _places(n), _causal(n), cross)
        return None if attention is None else self._of_all_states(attention[: len(tokens)])

    def attended(self, slot: int, steps: Sequence[int]) -> FLOAT32 | None:
        """How much the tokens fed in these steps attended to each encoder state: (steps, 1500)."""
        if not self._queries[slot]:
            return None
        n = to_blocks(len(steps))
        chosen = np.stack([self._queries[slot][step] for step in steps], axis=1)
        queries = self._engine.new_queries(n)
        queries.data[0, :, : len(steps)] = chosen
        queries.data[0, :, len(steps) :] = 0
        attention = self._engine.align(queries, self._cross_parts(slot, slot + 1))
        return self._of_all_states(attention[: len(steps)])

    def _of_all_states(self, attention: FLOAT32) -> FLOAT32:
        """That to merged states, shared out among those that they were merged from."""
        merged = self._engine.dimensions.n_audio_context // self._n_states
        whole: FLOAT32 = np.repeat(attention / np.float32(merged), merged, axis=1)
        return whole

    def _make_room(self, n: int) -> None:
        """Bind the first n slots, with just enough columns for the next token."""
        n_columns = self._past.n_wanted(n)
        if n_columns != self._past.n_room:
            self._resize(n_columns)
        if self._bound != (n, n_columns):
            self._engine.bind(self._request, self._past.parts(n), self._cross_parts(0, n))
            self._bound = (n, n_columns)

    def _resize(self, n_columns: int) -> None:
        if self._bound is not None:  # what it is bound to would stay
            self._engine.bind(self._request, self._nothing, self._cross_parts(0, 1))
        self._past.resize(
            n_columns, self._n_used, lambda: self._engine.new_cache(self._n_slots, n_columns)
        )
        self._bound = None

    def _cross_parts(self, first: int, stop: int) -> list[ov.Tensor]:
        return [part(cache, first, stop) for cache in self._cross]


def _places(n: int) -> INT32:
    """Positions of n tokens of one window."""
    return np.arange(n, dtype=np.int32)[None]


def _causal(n: int) -> FLOAT32:
    """The mask of n tokens fed at once after a past of one hidden column: (1, 1, n, 1 + n)."""
    seen = np.triu(np.full((n, n), HIDDEN, np.float32), 1)
    return np.concatenate([np.full((n, 1), HIDDEN, np.float32), seen], axis=1)[None, None]
