from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.audio import (
    MAX_WINDOW_SAMPLES,
    SAMPLE_RATE,
    Audio,
    SpeechSegment,
    Window,
    WindowSound,
    even_blocks,
    to_position,
)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 300), max_size=20), st.integers(1, 100), st.floats(-5.0, 40_000.0))
def test_even_blocks_hold_the_same_sound_at_the_same_time(
    sizes: list[int], n_samples: int, start: float
) -> None:
    ends = np.cumsum([0, *sizes]).tolist()
    sound = np.arange(ends[-1], dtype=np.float32)
    blocks = [Audio(sound[a:b], start + a / SAMPLE_RATE) for a, b in pairwise(ends)]
    even = list(even_blocks(blocks, n_samples))
    assert all(len(block.samples) == n_samples for block in even[:-1])
    assert [v for block in even for v in block.samples.tolist()] == sound.tolist()
    for block in even:
        offset = int(block.samples[0])
        assert to_position(block.start) == to_position(start) + offset


def test_a_jump_begins_a_new_run_and_a_wobble_does_not() -> None:
    ten = np.zeros(10, np.float32)
    assert [
        (round(block.start, 6), len(block.samples))
        for block in even_blocks([Audio(ten, 1.0), Audio(ten, 1.01), Audio(ten, 1.1)], 16)
    ] == [(1.0, 16), (1.001, 4), (1.1, 10)]
    assert [block.start for block in even_blocks([Audio(ten, 5.0), Audio(ten, 1.0)], 16)] == [5, 1]


def test_samples_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        Audio(np.zeros(3, dtype="float64"))
    with pytest.raises(ValueError, match="float32"):
        Audio(np.zeros((3, 2), np.float32))


def test_a_window_holds_what_its_spans_say_and_at_most_30_seconds() -> None:
    second = Window((SpeechSegment(1.0, 2.0),))
    WindowSound(second, np.zeros(SAMPLE_RATE, np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        WindowSound(second, np.zeros(SAMPLE_RATE // 2, np.float32))
    with pytest.raises(ValueError, match="at most"):
        WindowSound(second, np.zeros(MAX_WINDOW_SAMPLES + 1, np.float32))
    with pytest.raises(ValueError, match="overlap"):
        Window((SpeechSegment(1.0, 3.0), SpeechSegment(2.0, 4.0)))
