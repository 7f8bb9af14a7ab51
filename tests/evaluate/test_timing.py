from __future__ import annotations

import pytest

from subvino.evaluate.manifest import TimedText
from subvino.evaluate.timing import compare_times, summarize

SAID = (
    TimedText("Guten", 1.0, 1.4),
    TimedText("Tag,", 1.5, 2.0),
    TimedText("liebe", 2.5, 2.9),
    TimedText("Leute!", 3.0, 3.5),
)


def test_words_are_late_or_early_by_seconds() -> None:
    heard = (
        TimedText(" guten", 1.1, 1.4),
        TimedText(" tag", 1.48, 2.3),
        TimedText(" Leute", 3.0, 3.4),
    )
    errors = compare_times(SAID, heard, "de")
    assert errors.onsets == pytest.approx((0.1, -0.02, 0.0))
    assert errors.offsets == pytest.approx((0.0, 0.3, -0.1))
    assert errors.n_reference == 4


def test_what_was_heard_wrong_has_no_error_of_time() -> None:
    heard = (TimedText("gute", 1.0, 1.4), TimedText("Tage", 1.5, 2.0))
    assert compare_times(SAID, heard, "de").onsets == ()


def test_a_phrase_is_compared_with_words_by_its_first_and_last() -> None:
    phrases = (TimedText("Guten Tag,", 1.0, 2.0), TimedText("liebe Leute!", 2.5, 3.5))
    heard = tuple(
        TimedText(word.text, word.start + 0.2, word.end + 0.1)
        for word in SAID
        if word.start is not None and word.end is not None
    )
    errors = compare_times(phrases, heard, "de")
    assert errors.onsets == pytest.approx((0.2, 0.2))
    assert errors.offsets == pytest.approx((0.1, 0.1))


def test_a_phrase_is_compared_with_a_phrase_where_both_begin_alike() -> None:
    phrases = (TimedText("Guten Tag,", 1.0, 2.0), TimedText("liebe Leute!", 2.5, 3.5))
    heard = (TimedText("Guten", 1.3, 1.5), TimedText("Tag, liebe Leute!", 1.5, 3.6))
    errors = compare_times(phrases, heard, "de")
    assert errors.onsets == pytest.approx((0.3,))
    assert errors.offsets == pytest.approx((0.1,))


def test_a_word_that_normalises_to_several_keeps_its_start_and_end() -> None:
    errors = compare_times([TimedText("isn't", 1.0, 2.0)], [TimedText("is not", 1.5, 2.5)], "en")
    assert (errors.onsets, errors.offsets) == ((0.5,), (0.5,))


def test_words_without_spaces_are_compared_by_their_first_character() -> None:
    errors = compare_times([TimedText("你好", 1.0, 2.0)], [TimedText("你", 1.25, 1.5)], "zh")
    assert (errors.onsets, errors.offsets, errors.n_reference) == ((0.25,), (), 1)


def test_the_summary_has_median_percentile_bias_and_shares() -> None:
    summary = summarize([-0.05, 0.01, 0.02, 0.1, 0.5], n_reference=10)
    assert summary is not None
    assert summary.median_ms == pytest.approx(50)
    assert summary.bias_ms == pytest.approx(20)
    assert summary.p90_ms == pytest.approx(100 + 0.6 * 400)
    assert summary.within == pytest.approx((0.6, 0.8, 0.8))
    assert summary.matched == pytest.approx(0.5)


def test_without_a_matched_word_there_is_no_summary() -> None:
    assert summarize([], n_reference=3) is None
