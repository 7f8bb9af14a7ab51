from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.audio import SpeechSegment
from subvino.check import SpeechLimits, find_in_speech
from subvino.errors import OptionError
from subvino.speech import find_speech
from subvino.subtitles import RawCue
from tests.check import SAMPLE

Times = list[tuple[float, float]]


def found(cues: Times, speech: Times) -> list[tuple[str, int, int | None, float]]:
    raw = [RawCue(round(a * 1000), round(b * 1000), "said") for a, b in cues]
    heard = [SpeechSegment(a, b) for a, b in speech]
    return [
        (item.rule, item.time_ms, item.cue, round(item.found or 0))
        for item in find_in_speech(raw, heard, SpeechLimits())
    ]


@pytest.mark.parametrize(
    ("cues", "speech", "expected"),
    [
        ([(1, 3), (3.1, 5)], [(1.1, 2.9), (3.0, 4.8)], []),
        ([(1, 3), (5, 7)], [(1, 2.9)], [("silence", 5000, 2, 0)]),
        ([(0, 10)], [(0.2, 1.1)], [("silence", 0, 1, 9)]),
        ([(1, 3)], [(1.5, 3)], [("early", 1000, 1, 500)]),
        ([(2, 4)], [(1.5, 4)], [("late", 2000, 1, 500)]),
        ([(4, 6)], [(1.5, 6)], [("no_cue", 1500, None, 2500)]),
        # Speech that began under the cue before is that cue's.
        ([(0, 1.9), (2, 4)], [(0, 4)], []),
        ([(0, 1)], [(0, 1), (2, 3.5)], [("no_cue", 2000, None, 1500)]),
        ([(0, 1)], [(0, 1), (2, 2.9)], []),
        # A short pause does not make two harmless stretches of one that is not.
        ([(0, 1)], [(0, 1), (2, 2.8), (3, 3.8)], [("no_cue", 2000, None, 1600)]),
        ([(0, 1), (2.85, 2.95)], [(0, 1), (2, 2.8), (3, 3.8)], [("silence", 2850, 2, 0)]),
        ([], [(5, 9)], [("no_cue", 5000, None, 4000)]),
        ([(1, 2)], [], [("silence", 1000, 1, 0)]),
    ],
)
def test_cues_are_held_against_speech(
    cues: Times, speech: Times, expected: list[tuple[str, int, int | None, float]]
) -> None:
    assert found(cues, speech) == expected


def test_cues_that_overlap_or_stand_out_of_order_hide_nothing() -> None:
    assert found([(4, 6), (0, 5)], [(0, 6), (8, 10)]) == [("no_cue", 8000, None, 2000)]


STRETCHES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=8).map(
    lambda steps: _stretches(steps)
)


def _stretches(steps: list[tuple[int, int]]) -> Times:
    now, made = 0.0, []
    for gap, duration in steps:
        made.append((now + gap / 10, now + (gap + duration) / 10))
        now += (gap + duration) / 10
    return made


@given(STRETCHES)
def test_cues_that_are_the_speech_are_right(times: Times) -> None:
    assert found(times, times) == []


@given(STRETCHES, STRETCHES)
def test_speech_without_a_cue_is_never_more_than_there_is(cues: Times, speech: Times) -> None:
    alone = sum(amount for rule, _, _, amount in found(cues, speech) if rule == "no_cue")
    assert alone <= sum(round((b - a) * 1000) for a, b in speech) + len(speech)


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OptionError, match="share"):
        SpeechLimits(min_spoken=10)
    with pytest.raises(OptionError, match="negative"):
        SpeechLimits(max_late=-1)


def test_the_speech_of_a_real_video_is_found_and_told_on_the_way() -> None:
    told: list[float] = []
    heard = find_speech(SAMPLE, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == heard.end == pytest.approx(16.3, abs=0.2)
    spoken = sum(part.end - part.start for part in heard.segments)
    assert 10 < spoken < 16
    assert heard.damage == ()
