from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.tokenizer import Tokenizer
from subvino.whisper.coverage import MIN_MISSED, find_missed, owed_time
from tests.whisper.made_up import attempt, make_tokenizer, spoken, window


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


CASES: dict[str, tuple[tuple[str | float, ...], list[tuple[float, float]]]] = {
    "all is said": ((0.0, "a", 20.0), []),
    "the end is missed": ((0.0, "a", 12.0), [(12.0, 20.0)]),
    "the middle is missed": ((0.0, "a", 5.0, 9.0, "b", 20.0), [(5.0, 9.0)]),
    "the start is missed": ((2.0, "a", 20.0), [(0.0, 2.0)]),
    "start, middle and end are missed": (
        (3.0, "a", 5.0, 9.0, "b", 12.0),
        [(0.0, 3.0), (5.0, 9.0), (12.0, 20.0)],
    ),
    "less than a second may be a timestamp that is off": ((0.9, "a", 19.02), []),
    "text that no time closes goes on to the end": ((0.0, "a", 5.0, 5.0, "b"), []),
    "a time in between without text covers nothing": ((0.0, "a", 5.0, 12.0), [(5.0, 20.0)]),
    "no text at all is the other gates' affair": ((0.0, 20.0), []),
    "times after the end cover no more than there is": ((0.0, "a", 30.0), []),
}


@pytest.mark.parametrize("name", CASES)
def test_speech_without_text_is_found(tokenizer: Tokenizer, name: str) -> None:
    said, expected = CASES[name]
    tokens = spoken(tokenizer, *said)
    found = find_missed(window((100.0, 120.0)), attempt(tokens), tokenizer.timestamp_begin)
    assert [time for stretch in found for time in stretch] == pytest.approx(
        [
            100.0 + time
            for start, end in expected
            for time in (start - 0.1, end + 0.1)  # heard again with a margin
        ]
    )


def test_text_is_owed_up_to_the_end_of_speech_in_window_time() -> None:
    assert owed_time(window((10.0, 16.0), (50.0, 54.0))) == round((10.0 - MIN_MISSED) / 0.02)
    assert owed_time(window((10.0, 10.5))) == 0


def test_what_attention_heard_after_the_last_time_is_not_missed(tokenizer: Tokenizer) -> None:
    tokens = spoken(tokenizer, 0.0, "a", 12.0)
    found = find_missed(
        window((0.0, 20.0)), attempt(tokens, onsets=[0, 970]), tokenizer.timestamp_begin
    )
    assert found == []


def test_a_stretch_lies_in_the_speech_it_belongs_to(tokenizer: Tokenizer) -> None:
    """Window time goes on over a pause that was left out, media time does not."""
    tokens = spoken(tokenizer, 0.0, "a", 4.0)
    sound = window((10.0, 16.0), (50.0, 54.0))
    found = find_missed(sound, attempt(tokens), tokenizer.timestamp_begin)
    assert [time for stretch in found for time in stretch] == pytest.approx(
        [13.9, 16.1, 49.9, 54.1]
    )


@given(st.lists(st.floats(0.0, 20.0), min_size=2, max_size=12))
def test_what_is_missed_is_long_and_has_no_text(times: list[float]) -> None:
    ordered = sorted(round(time / 0.02) * 0.02 for time in times)
    begin = 500
    tokens = [
        token
        for i, time in enumerate(ordered)
        for token in (
            [begin + round(time / 0.02)] if i % 2 == 0 else [7, begin + round(time / 0.02)]
        )
    ]
    said = list(zip(ordered[::2], ordered[1::2], strict=False))
    found = find_missed(window((0.0, 20.0)), attempt(tokens), begin)
    for start, end in found:
        low, high = start + 0.1, end - 0.1
        assert high - low >= MIN_MISSED - 1e-9
        assert all(last <= low + 1e-9 or first >= high - 1e-9 for first, last in said)
