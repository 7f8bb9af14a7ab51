from __future__ import annotations

import json
from pathlib import Path

import pytest

from subvino.evaluate import Comparison, Hearing
from subvino.quantize import Gate
from subvino.quantize.card import CalibrationCard, Card, PartCard
from subvino.quantize.gate import Verdict, judge
from tests.evaluate.made_up import make_clip, say

SAID = " ".join(f"wort{i}" for i in range(100))


def compare_texts(folder: Path, before: str, after: str, delay: float = 0.0) -> Comparison:
    clip = make_clip(folder, "a", SAID)
    old = Hearing("m", clip, "old", say(before, end=8.0, words=True), (1.0,))
    new = say(after, start=delay, end=8.0 + delay, words=True)
    return Comparison((old,), (Hearing("m", clip, "new", new, (1.0,)),))


def wrong(count: int) -> str:
    """The text with the last words wrong."""
    words = SAID.split()
    return " ".join(words[: 100 - count] + ["falsch"] * count)


@pytest.mark.parametrize(("before", "after", "passed"), [(0, 0, True), (3, 5, True), (3, 6, False)])
def test_the_error_rate_may_rise_by_so_many_points(
    tmp_path: Path, before: int, after: int, passed: bool
) -> None:
    comparison = compare_texts(tmp_path, wrong(before), wrong(after))
    verdict = judge("encoder", comparison, Gate(max_wer_increase=2.0))
    assert (verdict.wer_before, verdict.wer_after) == pytest.approx((before, after))
    assert verdict.passed is passed
    assert verdict.n_differing == int(before != after)


@pytest.mark.parametrize(("delay", "passed"), [(0.04, True), (0.06, False)])
def test_words_may_move_by_so_many_seconds(tmp_path: Path, delay: float, passed: bool) -> None:
    comparison = compare_texts(tmp_path, SAID, SAID, delay)
    verdict = judge("encoder", comparison, Gate(max_word_shift=0.05))
    assert verdict.word_shift_ms == pytest.approx(1000 * delay)
    assert verdict.passed is passed
    assert ("not kept" in verdict.in_words()) is not passed


def make_card() -> Card:
    return Card(
        name="base-int8-static",
        kind="int8-static",
        made_from="base",
        source="packages x",
        source_fingerprint="f",
        recipe={"limit": float("inf")},
        calibration=CalibrationCard("clips", "ab", 3, 4, 12, 99, "cd"),
        parts={"encoder": PartCard(0.75, {"0.75": 0.05}, 0.05, 0.04, 30, ("conv1",), 9, 5, True)},
        checked_on="evaluate (2 clips)",
        verdicts=(Verdict("encoder", 4.0, 4.25, 10.0, 30.0, None, 2, 50, 1, True),),
        peak_memory=500_000_000,
        size={"encoder.bin": 1},
        versions={"nncf": "3.4.0"},
    )


def test_the_card_tells_the_same_to_programs_and_to_people() -> None:
    card = make_card()
    read = json.loads(card.to_json(), parse_constant=pytest.fail)
    assert read["calibration"]["windows"] == 4
    assert read["verdicts"][0]["increase"] == 0.25
    assert read["recipe"] == {"limit": None}
    page = card.to_markdown()
    for told in (
        "4 windows to the encoder and 12 decoding steps (of 99)",
        "| encoder | 0.75 | 0.050 | 0.040 | 30 | 9.0 | 5.0 |",
        "word error rate 4.25 % after 4.00 % (+0.25 points), words 10 ms apart: kept",
        "Not quantized in the encoder: conv1.",
        "peak memory: 500 MB",
        "- nncf: 3.4.0",
    ):
        assert told in page
