from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subvino.evaluate.manifest import Clip, TimedText
from subvino.evaluate.score import ClipResult, Invention, Run, covered_seconds, score
from subvino.evaluate.wer import ErrorCounts
from subvino.transcript import Segment, Transcript
from tests.evaluate.made_up import make_clip, say


def score_one(clip: Clip, transcript: Transcript, told: bool = False) -> ClipResult:
    return score(clip, Run("talks", "parrot", transcript, seconds=0.5, told_language=told))


def test_a_clip_has_its_errors_and_the_language_heard(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, "a", "Guten Tag!")
    result = score_one(clip, say("guten Abend", language="nl"))
    assert result.errors == ErrorCounts(hits=1, substitutions=1)
    assert (result.heard_language, result.invented, result.words) == ("nl", None, None)
    assert score_one(clip, say("guten Tag"), told=True).heard_language is None


def test_nothing_heard_is_all_left_out(tmp_path: Path) -> None:
    assert score_one(make_clip(tmp_path, "a", "Guten Tag!"), say("")).errors == ErrorCounts(
        deletions=2
    )


def test_words_where_nobody_speaks_are_invented(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, "a", "", language=None)
    heard = Transcript(
        (
            Segment("Thank you.", 1.0, 3.0),
            Segment("Bye.", 2.0, 4.5),
            Segment("♪", 6.0, 9.0),
        ),
        "en", 0.4, 10.0,
    )  # fmt: skip
    assert score_one(clip, heard).invented == Invention(words=3, seconds=3.5)
    assert score_one(clip, heard).errors is None
    assert score_one(clip, say("")).invented == Invention(0, 0.0)


def test_text_that_a_verdict_took_out_is_neither_heard_nor_invented(tmp_path: Path) -> None:
    rejected = replace(say("Danke fürs Zuschauen.").segments[0], verdict="no speech there")
    heard = replace(say("Guten Tag!"), segments=(*say("Guten Tag!").segments, rejected))
    result = score_one(make_clip(tmp_path, "a", "Guten Tag!"), heard)
    assert (result.errors, result.text) == (ErrorCounts(hits=2), "Guten Tag!")
    silent = replace(heard, segments=(rejected,))
    clip = make_clip(tmp_path, "b", "", language=None)
    assert score_one(clip, silent).invented == Invention(0, 0.0)


def test_word_times_are_compared_where_both_sides_have_them(tmp_path: Path) -> None:
    words = (TimedText("guten", 0.1, 1.0), TimedText("Tag", 1.2, 2.0))
    clip = replace(make_clip(tmp_path, "a", "Guten Tag!"), words=words)
    timed = score_one(clip, say("Guten Tag!", words=True)).words
    assert timed is not None
    assert timed.onsets == pytest.approx((-0.1, -0.2))
    assert score_one(clip, say("Guten Tag!")).words is None


def test_phrases_are_compared_with_segments_where_there_are_no_words(tmp_path: Path) -> None:
    phrases = (TimedText("Guten Tag!", 0.25, 2.0),)
    clip = replace(make_clip(tmp_path, "a", "Guten Tag!"), phrases=phrases)
    for words in (False, True):
        result = score_one(clip, say("Guten Tag!", words=words))
        assert result.phrases is not None
        assert result.phrases.onsets == (-0.25,)


def test_seconds_covered_twice_count_once() -> None:
    spans = [(5.0, 6.0), (0.0, 2.0), (1.0, 1.5), (1.5, 3.0)]
    assert covered_seconds([Segment("x", *span) for span in spans]) == 4.0
