"""Where words were said: against openai-whisper's times, made paths and made sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.alignment import (
    ATTENTION_LEAD,
    EdgeRules,
    WordTime,
    fit_to_sound,
    token_onsets,
    word_times,
)
from subvino.audio import SAMPLE_RATE, Samples


def attention_of(onsets: list[int], n_states: int) -> np.typing.NDArray[np.float32]:
    """Each token attends to the states from its onset to the next one's."""
    attention = np.zeros((len(onsets), n_states), np.float32)
    for token, (start, stop) in enumerate(zip(onsets, [*onsets[1:], n_states], strict=True)):
        attention[token, start:stop] = 1.0
    return attention


@given(st.lists(st.integers(3, 9), min_size=1, max_size=12))
def test_the_path_follows_attention(lengths: list[int]) -> None:
    onsets = [0, *np.cumsum(lengths)[:-1].tolist()]
    assert token_onsets(attention_of(onsets, sum(lengths))).tolist() == onsets


@given(st.integers(1, 8), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_path_is_the_cheapest_one(n_tokens: int, n_states: int, seed: int) -> None:
    """Against the recurrence written out, on noise."""
    attention = np.random.default_rng(seed).random((n_tokens, n_states)).astype(np.float32)
    onsets = token_onsets(attention).tolist()
    assert onsets[0] == 0
    assert onsets == sorted(onsets)
    assert onsets[-1] < n_states
    padded = np.pad(attention, ((0, 0), (1, 1)), mode="edge")
    smooth: np.typing.NDArray[Any] = np.median(
        np.stack([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]]), axis=0
    )
    found = _path_value(smooth, onsets)
    assert found == pytest.approx(_best_value(smooth), abs=1e-4)


def _path_value(gain: np.typing.NDArray[Any], onsets: list[int]) -> float:
    """The best total of a path that enters each token at its onset."""
    n_states = gain.shape[1]
    total = 0.0
    for token, start in enumerate(onsets):
        last = token + 1 == len(onsets)
        stop = n_states if last else onsets[token + 1]
        total += float(gain[token, start:stop].sum())
        if not last and stop < n_states:  # the path may also step straight down
            total += max(0.0, float(gain[token, stop]) if stop >= start else 0.0)
    return total


def _best_value(gain: np.typing.NDArray[Any]) -> float:
    n_tokens, n_states = gain.shape
    best = np.full((n_tokens, n_states), -np.inf)
    for i in range(n_tokens):
        for j in range(n_states):
            before = [0.0] if i == j == 0 else []
            before += [best[i - 1, j]] if i else []
            before += [best[i, j - 1]] if j else []
            before += [best[i - 1, j - 1]] if i and j else []
            best[i, j] = max(before) + gain[i, j]
    return float(best[-1, -1])


def test_words_take_the_times_of_their_tokens() -> None:
    onsets = np.array([0, 10, 20, 45, 60])
    words = word_times(onsets, [2, 4], duration=2.0)
    expected = [
        (ATTENTION_LEAD, 0.4 + ATTENTION_LEAD),
        (0.4 + ATTENTION_LEAD, 1.2 + ATTENTION_LEAD),
    ]
    assert words == [pytest.approx(times) for times in expected]
    assert word_times(onsets, [2, 4], duration=1.0)[1].end == 1.0


def bursts(*times: tuple[float, float], duration: float = 3.0) -> Samples:
    """Noise of speech's loudness at the times, next to silence elsewhere."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-4, round(duration * SAMPLE_RATE))
    for start, end in times:
        span = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
        samples[span] += rng.normal(0, 0.1, span.stop - span.start)
    return samples.astype(np.float32)


def test_a_word_after_a_pause_begins_where_the_sound_does() -> None:
    sound = bursts((0.5, 1.0), (1.6, 2.2))
    words = fit_to_sound([WordTime(0.4, 1.3), WordTime(1.3, 2.4)], sound)
    assert words[0] == pytest.approx((0.5, 1.0), abs=0.03)
    assert words[1] == pytest.approx((1.6, 2.2), abs=0.03)


def test_a_word_that_follows_at_once_begins_at_the_quietest_moment() -> None:
    sound = bursts((0.2, 1.0), (1.04, 2.0))
    words = fit_to_sound([WordTime(0.2, 0.96), WordTime(0.96, 2.0)], sound)
    assert words[0].end == words[1].start == pytest.approx(1.02, abs=0.03)


def test_sound_far_from_a_word_does_not_move_it() -> None:
    sound = bursts((0.1, 0.4), (2.0, 2.6))
    (word,) = fit_to_sound([WordTime(0.1, 0.6)], sound)
    assert word == pytest.approx((0.1, 0.4), abs=0.03)


@given(
    st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.8)), max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_words_stay_in_order_whatever_the_sound(
    steps: list[tuple[float, float]], seed: int
) -> None:
    words, clock = [], 0.0
    for pause, length in steps:
        words.append(WordTime(clock + pause, clock + pause + length))
        clock = words[-1].end
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.random(40) ** 4, 4_000)[: round(10 * SAMPLE_RATE)]
    sound = (rng.normal(0, 0.1, len(envelope)) * envelope).astype(np.float32)
    fitted = fit_to_sound(words, sound)
    assert len(fitted) == len(words)
    edges = [edge for word in fitted for edge in word]
    assert edges == sorted(edges)
    assert all(word.start >= 0 for word in fitted)


def test_no_sound_and_no_words_are_no_error() -> None:
    assert fit_to_sound([], np.zeros(0, np.float32)) == []
    (word,) = fit_to_sound([WordTime(0.0, 0.1)], np.zeros(1600, np.float32), EdgeRules())
    assert word.end > word.start


def test_a_word_left_alone_before_a_long_pause_is_put_after_it() -> None:
    """ "Chapter one | (pause) | No one who": attention finds the first "no" right after "one"."""
    sound = bursts((0.2, 0.8), (2.0, 2.6))
    words = fit_to_sound([WordTime(0.2, 0.79), WordTime(0.79, 2.0), WordTime(2.0, 2.6)], sound)
    assert words[1].start == pytest.approx(2.0, abs=0.03)
    assert words[1].end == words[2].start == pytest.approx(2.3, abs=0.05)


def test_the_first_word_begins_where_sound_does_however_late() -> None:
    """The path through attention starts with the window, in the silence before it too."""
    words = fit_to_sound([WordTime(0.03, 1.4), WordTime(1.4, 2.0)], bursts((0.9, 2.0)))
    assert words[0].start == pytest.approx(0.9, abs=0.03)


def test_a_word_after_a_mark_begins_where_its_sound_does_and_not_where_attention_has_it() -> None:
    """The mark takes the pause and the first sounds of the word for its own: 0.2 s too late."""
    tone = np.sin(np.arange(SAMPLE_RATE) * 0.3).astype(np.float32) * 0.3
    samples = np.concatenate([tone, np.zeros(SAMPLE_RATE // 20, np.float32), tone])
    said = [WordTime(0.0, 0.95), WordTime(1.27, 2.0)]
    (_, first_end), (second, _) = fit_to_sound(said, samples)
    assert abs(second - 1.05) <= 0.03
    assert first_end <= 1.05
    # Without a mark between them attention is believed as before.
    _, (believed, _) = fit_to_sound([WordTime(0.0, 1.27), WordTime(1.27, 2.0)], samples)
    assert believed > 1.15
