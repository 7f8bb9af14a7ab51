"""What each hypothesis sees of the past, held against lists of what it was told."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest

from subvino.whisper.past import BLOCK, Past


def caches(n_slots: int, n_columns: int) -> list[ov.Tensor]:
    """One cache of a single number a column, full of what memory may hold."""
    cache = ov.Tensor(ov.Type.f32, ov.Shape([n_slots, 1, n_columns, 1]))
    cache.data[:] = np.nan
    return [cache]


def seen(past: Past, slot: int, hypothesis: int) -> list[float]:
    """What the hypothesis goes back to, in ascending order."""
    columns = past.mask(slot + 1)[slot, 0, hypothesis, : past.n_room] == 0
    values = past.parts(slot + 1)[0].data[slot, 0, :, 0]
    assert not np.isnan(values).any(), "a column that nobody sees takes part, times nothing"
    return sorted(float(value) for value in values[columns])


class Windows:
    """Windows of five hypotheses that are told numbers, in a past and in lists."""

    def __init__(self, n_slots: int, width: int = 5) -> None:
        self.n_slots, self.width = n_slots, width
        self.past = Past(caches(n_slots, BLOCK), width)
        self.told = [[list[float]() for _ in range(width)] for _ in range(n_slots)]
        self.n_told = 0
        for slot in range(n_slots):
            self.past.restart(slot)

    def tell(self, n: int) -> None:
        """Another number to each hypothesis of the first n slots."""
        n_columns = self.past.n_wanted(n)
        if n_columns != self.past.n_room:
            self.past.resize(n_columns, self.n_slots, lambda: caches(self.n_slots, n_columns)[0])
        new = self.n_told + np.arange(n * self.width, dtype=np.float32)
        self.past.keep(new.reshape(1, n, 1, self.width, 1), n)
        for slot, values in enumerate(new.reshape(n, self.width)):
            for one, value in zip(self.told[slot], values, strict=True):
                one.append(float(value))
        self.n_told += new.size

    def reorder(self, slot: int, parents: list[int]) -> None:
        self.past.reorder(slot, parents)
        self.told[slot] = [list(self.told[slot][parent]) for parent in parents]

    def check(self) -> None:
        for slot, hypotheses in enumerate(self.told):
            for number, told in enumerate(hypotheses):
                assert seen(self.past, slot, number) == told


@pytest.mark.parametrize("seed", range(5))
def test_a_hypothesis_sees_what_it_and_those_before_it_were_told(seed: int) -> None:
    chance = np.random.default_rng(seed)
    windows = Windows(3)
    for _ in range(60):
        n = int(chance.integers(1, 4))
        windows.tell(n)
        windows.check()
        for slot in range(n):
            windows.reorder(slot, chance.integers(0, 5, 5).tolist())
        if chance.random() < 0.05:
            windows.past.restart(1)
            windows.told[1] = [[] for _ in range(5)]
        if chance.random() < 0.1:
            windows.past.move(2, 0)
            windows.told[0] = [list(told) for told in windows.told[2]]
        windows.check()


def test_columns_that_no_beam_goes_back_to_are_used_again() -> None:
    windows = Windows(2)
    for _ in range(200):
        windows.tell(2)
        for slot in range(2):
            windows.reorder(slot, [3] * 5)
    windows.check()
    assert windows.past.n_room == 4 * BLOCK  # 200 tokens that all share, and 5 to come


def test_room_shrinks_with_the_windows_that_are_left() -> None:
    windows = Windows(2, width=1)
    windows.past.restart(1)
    for _ in range(100):
        windows.tell(2)
    assert windows.past.n_room == 2 * BLOCK
    windows.past.restart(0)
    windows.told[0] = [[]]
    windows.tell(1)
    assert windows.past.n_room == BLOCK


def test_a_slot_that_is_not_in_use_takes_no_memory() -> None:
    windows = Windows(2)
    larger = caches(2, 2 * BLOCK)[0]
    windows.past.resize(2 * BLOCK, 1, lambda: larger)
    assert np.isnan(larger.data[1]).all()
    assert not np.isnan(larger.data[0]).any()
    windows.past.restart(1)
    assert not np.isnan(larger.data[1]).any()
