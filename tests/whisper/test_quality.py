from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.whisper.quality import (
    compression_ratio,
    is_invented_phrase,
    is_looping,
    n_before_loop,
)


def test_compression_ratio_is_bytes_over_compressed_bytes() -> None:
    text = "Je veux dire oui. " * 20
    raw = text.encode()
    assert compression_ratio(text) == pytest.approx(len(raw) / len(zlib.compress(raw)))
    assert compression_ratio(text) > 2.4 > compression_ratio("A sentence that is said once.")


@pytest.mark.parametrize("period", [1, 2, 5, 11, 24])
def test_a_stretch_said_over_and_over_loops(period: int) -> None:
    unit = list(range(100, 100 + period))
    repeats = max(4, -(-24 // period))
    assert is_looping([1, 2, 3, *unit * repeats])
    assert not is_looping([1, 2, 3, *unit * 2, 4, 5])


def test_a_refrain_said_three_times_does_not_loop() -> None:
    assert not is_looping([9, 8, *[1, 2, 3, 4, 5, 6, 7] * 3])


@given(st.lists(st.integers(0, 10_000), max_size=80, unique=True))
def test_text_without_repeats_never_loops(tokens: list[int]) -> None:
    assert not is_looping(tokens)


def test_a_loop_is_kept_once() -> None:
    assert n_before_loop([1, 2, *[7, 8, 9] * 10]) == 5
    assert n_before_loop([1, 2, 3]) == 3


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("Thank you for watching!", True),
        ("Sous-titres réalisés par la communauté d'Amara.org", True),
        ("Субтитры сделал DimaTorzok", True),
        ("Thank you for watching the children.", False),
        ("", False),
    ],
)
def test_phrases_that_models_invent_are_known(text: str, invented: bool) -> None:
    assert is_invented_phrase(text) is invented
