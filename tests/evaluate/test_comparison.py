from __future__ import annotations

import json
from pathlib import Path

import pytest

from subvino.evaluate import (
    CompareReport,
    Comparison,
    PartTimes,
    Side,
    compare,
    draw_ratios,
)
from subvino.evaluate.comparison import differing_parts
from tests.evaluate.made_up import Parrot, make_clip, make_manifest, say


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def comparison(tmp_path: Path, calls: list[str]) -> Comparison:
    clips = (make_clip(tmp_path, "a", "guten morgen"), make_clip(tmp_path, "bb", "bis bald & b"))
    right = {"a": say("Guten Morgen.", words=True), "bb": say("bis bald b", words=True)}
    other = {"a": say("Guten Morgen.", start=0.1, words=True), "bb": say("bis bald", words=True)}
    engines = (Parrot("old", right, calls), Parrot("new", other, calls))
    return compare([make_manifest("m", *clips)], engines, repeats=2)


def test_both_run_in_turn_after_one_run_that_does_not_count(
    comparison: Comparison, calls: list[str]
) -> None:
    names = [call.split()[0] + call.split()[1] for call in calls]
    assert names == ["olda", "newa", *["olda", "newa"] * 2, *["oldbb", "newbb"] * 2]
    assert [len(hearing.seconds) for hearing in (*comparison.a, *comparison.b)] == [2] * 4


def test_error_rates_are_those_of_each(comparison: Comparison) -> None:
    assert comparison.error_rates == pytest.approx((0.0, 1 / 5))


def test_words_that_both_heard_are_compared_by_their_times(comparison: Comparison) -> None:
    shift = comparison.word_shift
    assert shift is not None
    # "Guten" is 100 ms late, "Morgen" 50; in the other clip "bis" is not, "bald" 333.
    assert shift.n == 4
    assert shift.median_ms == pytest.approx(75)


def test_every_place_where_the_transcripts_differ_is_told(comparison: Comparison) -> None:
    (place,) = comparison.differences()
    assert (place.clip, place.before, place.after) == ("bb", "b", "")


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("", "", []),
        ("a b", "a b", []),
        ("a b c", "a x y c", [("b", "x y")]),
        ("a b", "b", [("a", "")]),
        ("", "a", [("", "a")]),
        ("a b c d", "x b c y", [("a", "x"), ("d", "y")]),
    ],
)
def test_neighbouring_edits_are_one_place(
    before: str, after: str, wanted: list[tuple[str, str]]
) -> None:
    assert list(differing_parts(before.split(), after.split())) == wanted


@pytest.fixture
def report(comparison: Comparison) -> CompareReport:
    old = PartTimes((10.0, 30.0, 20.0), {1: (2.0,), 8: (6.0,)})
    new = PartTimes((10.0,), {1: (2.0,), 8: (3.0,)})
    return CompareReport(
        Side("old", 2_000_000, 5_000_000, 7_000_000, 1.0, old),
        Side("new", 1_000_000, None, None, 1.5, new),
        comparison,
        {"threads": "2"},
    )


def test_the_table_sets_medians_side_by_side(report: CompareReport) -> None:
    rows = {row[0]: row[1:] for row in report.table().rows}
    assert rows["size on disk"] == ("MB", "2.0", "1.0", "0.50")
    assert rows["memory, loaded"] == ("MB", "5", "", "")
    assert rows["encoder, a window"] == ("ms", "20.00", "10.00", "0.50")
    assert rows["decoder, a step of 8 windows"] == ("ms", "6.00", "3.00", "0.50")
    assert rows["word error rate"] == ("%", "0.00", "20.00", "")
    assert rows["word accuracy"] == ("%", "100.00", "80.00", "")
    assert report.wer_difference == pytest.approx(20)


def test_json_has_every_run_and_every_difference(report: CompareReport) -> None:
    read = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert read["a"]["encoder_ms"] == [10, 30, 20]
    assert read["differences"] == [{"manifest": "m", "clip": "bb", "a": "b", "b": ""}]
    assert read["conditions"] == {"threads": "2"}
    assert len(read["evaluation"]["clips"]) == 4


def test_the_page_escapes_what_was_said(report: CompareReport) -> None:
    page = report.to_html({"ratios": draw_ratios([("disk", 0.5), ("$x", 2.0)], "old", "new")})
    assert "bis bald &amp; b" in page
    assert "bis bald & b" not in page
    assert page.count("data:image/png;base64,iVBOR") == 1
