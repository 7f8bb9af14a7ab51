"""Slots: what the decode loop asks of an engine, whichever network that runs.

Floor 2 of the road. `engine` and `batch` run networks of our own building, `optimum` those that
Optimum-Intel exported; `decoding` knows neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.graphs.head import Vocabulary
from subvino.network import Dimensions

INT32 = npt.NDArray[np.int32]
FLOAT32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RowRules:
    """What each row may say next; arrays of one value a row, see `graphs.head`."""

    text: FLOAT32
    end: FLOAT32
    earliest: FLOAT32
    latest: FLOAT32
    sharpness: FLOAT32
    noise: FLOAT32


class Slots(Protocol):
    """A fixed number of places for windows, all of so many hypotheses; those in use come first."""

    def enter(self, slot: int, heard: ov.Tensor) -> None:
        """Let a window into the slot; heard: from the engine's `hear`."""

    def feed(self, slot: int, tokens: INT32) -> None:
        """Feed the first tokens (n,) of a window to all its hypotheses; nothing is chosen."""

    def attend(self, slot: int, tokens: INT32) -> FLOAT32 | None:
        """How much each token (n,) attends to each encoder state: (n, 1500), rows summing to 1.

        The mean over the alignment heads, all tokens fed at once; the slot's past stays as it is.
        None where the network can't tell.
        """

    def attended(self, slot: int, steps: Sequence[int]) -> FLOAT32 | None:
        """How much the tokens fed in these steps attended to each encoder state: (steps, 1500).

        steps: counted from the slot's restart. As `attend`, at no cost but the mean; None also
        where the slot has several hypotheses.
        """

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens and keep its window."""

    def move(self, source: int, target: int) -> None:
        """Let the window of `source`, with its past, go on in `target`; `source` is free then."""

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said."""

    def step(self, tokens: INT32, positions: INT32) -> None:
        """Feed a token of each hypothesis of the first slots; the engine then chooses.

        tokens, positions: (slots, width).
        """


class SlotEngine(Protocol):
    """A compiled network with slots for its windows."""

    @property
    def dimensions(self) -> Dimensions:
        """The network's sizes."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Where things stand among its tokens."""

    @property
    def default_batch_size(self) -> int:
        """Windows to decode at once where the user leaves it open."""

    @property
    def can_merge(self) -> bool:
        """Whether it has slots whose windows are heard in fewer states, which is faster."""

    def hear(self, mel: FLOAT32) -> ov.Tensor:
        """What a window sounds like to the network, to enter slots with; mel: (n_mels, 3000)."""

    def new_slots(self, n_slots: int, width: int, *, merged: bool = False) -> Slots:
        """Slots for `n_slots` windows of `width` hypotheses; merged: with neighbouring states
        merged, if it can."""

    def rest(self) -> None:
        """Let go of the windows that were worked on last, and of their memory."""

    def suppress(self, tokens: Sequence[int]) -> None:
        """Never choose these tokens from here on, besides those that never are."""

    def choose(self, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row of the last step, their log-probability: (rows, n_best)."""

    @property
    def logits(self) -> FLOAT32:
        """What the last `choose` chose from: (windows, n, n_vocab). Valid until the next one."""
