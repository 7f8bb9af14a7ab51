from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.audio import SpeechSegment
from subvino.errors import OptionError
from subvino.formats import read
from subvino.speech import find_speech
from subvino.subtitles import RawCue
from subvino.sync import KNOWN_RATES, MIN_CERTAINTY, SyncOptions, find_retiming

DATA = Path(__file__).parents[1] / "data" / "sync"

Change = Callable[[float], float]


def conversation(seed: int, n: int) -> list[SpeechSegment]:
    """Phrases of 1 to 4 s with pauses between them, most of them short."""
    draw, now, found = random.Random(seed), 2.0, []  # noqa: S311
    for _ in range(n):
        end = now + draw.uniform(1, 4)
        found.append(SpeechSegment(now, end))
        now = end + 0.2 + draw.expovariate(1)
    return found


def cues_for(speech: Sequence[SpeechSegment], change: Change) -> list[RawCue]:
    """A cue for each phrase, at the times that `change` makes of it, in milliseconds."""
    return [
        RawCue(max(round(1000 * change(s.start)), 0), round(1000 * change(s.end)), "said")
        for s in speech
    ]


def onset_errors_ms(
    cues: Sequence[RawCue], speech: Sequence[SpeechSegment], options: SyncOptions | None = None
) -> list[float]:
    """How far each in-time is, after syncing, from where its phrase begins."""
    found = find_retiming(cues, speech, options)
    assert found is not None
    pairs = zip(found.times(cues), speech, strict=True)
    return [abs(new[0] - 1000 * phrase.start) for new, phrase in pairs if new is not None]


# --- made-up speech: the answer is known ------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-100, 100))
def test_a_shift_is_found_whatever_it_is(seed: int, shift: float) -> None:
    speech = conversation(seed, 40)
    late = [SpeechSegment(s.start + 100, s.end + 100) for s in speech]
    errors = onset_errors_ms(cues_for(late, lambda time: time + shift), late)
    assert len(errors) == 40
    assert max(errors) <= 100


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(KNOWN_RATES)), st.floats(-20, 20))
def test_another_frame_rate_is_found(seed: int, name: str, shift: float) -> None:
    rate = KNOWN_RATES[name]
    speech = [SpeechSegment(s.start + 30, s.end + 30) for s in conversation(seed, 120)]
    errors = onset_errors_ms(cues_for(speech, lambda time: time / rate + shift), speech)
    assert len(errors) == 120
    assert median(errors) <= 100
    # 0.1 % is not told from none by 5 minutes of speech.
    assert max(errors) <= 250


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.92, 1.08))
def test_any_stretching_is_found(seed: int, rate: float) -> None:
    speech = conversation(seed, 120)
    errors = onset_errors_ms(cues_for(speech, lambda time: time * rate + 1), speech)
    assert len(errors) == 120
    assert median(errors) <= 150


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 90), st.floats(3, 90))
def test_a_part_that_the_video_has_more_of_moves_what_follows(
    seed: int, at: int, more: float
) -> None:
    before = conversation(seed, 120)
    speech = [
        SpeechSegment(s.start + more, s.end + more) if i >= at else s for i, s in enumerate(before)
    ]
    cues = cues_for(before, lambda time: time)
    errors = onset_errors_ms(cues, speech)
    assert len(errors) == 120
    # A phrase beside the cut may fit on both sides of it.
    assert sum(error > 100 for error in errors) <= 2


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 60), st.integers(8, 20))
def test_cues_of_a_part_that_was_cut_away_are_left_out(seed: int, at: int, n_cut: int) -> None:
    before = conversation(seed, 120)
    gone = before[at + n_cut].start - before[at].start
    kept = before[:at] + [SpeechSegment(s.start - gone, s.end - gone) for s in before[at + n_cut :]]
    cues = cues_for(before, lambda time: time)
    found = find_retiming(cues, kept)
    assert found is not None
    times = found.times(cues)
    stay = [new for i, new in enumerate(times) if not at <= i < at + n_cut]
    errors = [
        abs(new[0] - 1000 * s.start) for new, s in zip(stay, kept, strict=True) if new is not None
    ]
    assert len(errors) >= 98 - n_cut + 20
    assert sum(error > 100 for error in errors) <= 3
    # One at either end of what is gone may fit what stays.
    assert sum(new is None for new in times) >= n_cut - 2


def test_the_speech_of_another_film_is_not_believed() -> None:
    for seed in range(8):
        other = conversation(100 + seed, 80)
        found = find_retiming(cues_for(conversation(seed, 80), lambda time: time), other)
        assert found is not None
        assert found.certainty < MIN_CERTAINTY
        own = find_retiming(cues_for(other, lambda time: time + 5), other)
        assert own is not None
        assert own.certainty > 3 * MIN_CERTAINTY


def test_options_limit_the_search() -> None:
    speech = conversation(1, 60)
    faster = cues_for(speech, lambda time: time * 24 / 25)
    kept = find_retiming(faster, speech, SyncOptions(stretch=False, breaks=False))
    assert kept is not None
    assert (kept.rate, len(kept.pieces)) == (1.0, 1)
    far = find_retiming(cues_for(speech, lambda t: t + 50), speech, SyncOptions(max_shift=10))
    assert far is not None
    assert all(abs(piece.shift_ms) <= 10_400 for piece in far.pieces)


@pytest.mark.parametrize(
    "wrong", [{"max_shift": 0}, {"max_shift": float("nan")}, {"break_cost": 0}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        SyncOptions(**wrong)  # type: ignore[arg-type]


def test_without_cues_or_speech_there_is_nothing_to_find() -> None:
    assert find_retiming([], conversation(1, 3)) is None
    assert find_retiming([RawCue(0, 1000, "x")], []) is None
    assert find_retiming([RawCue(5, 5, "x"), RawCue(0, 100, " ")], conversation(1, 3)) is None


# --- a real reading: times that others measured -----------------------------------------------

MIDDLE = 28.0
"""Between two lines of the poem."""


@pytest.mark.parametrize(
    ("change", "most_ms"),
    [
        (lambda time: time, 50),
        (lambda time: time + 3.7, 50),
        (lambda time: time + 47, 50),
        (lambda time: time * 25 / 24 + 2, 60),
        (lambda time: time * 24 / 25 + 1, 60),
        (lambda time: time + (9 if time >= MIDDLE else 1), 50),
    ],
    ids=["in step", "3.7 s late", "47 s late", "25 for 24", "24 for 25", "cut"],
)
def test_lines_of_a_reading_come_back_to_where_they_were(change: Change, most_ms: float) -> None:
    lines = read((DATA / "sonnet1.srt").read_bytes()).cues
    speech = find_speech(DATA / "sonnet1.opus").segments
    moved = [
        RawCue(round(1000 * change(c.start_ms / 1000)), round(1000 * change(c.end_ms / 1000)), "x")
        for c in lines
    ]
    found = find_retiming(moved, speech)
    assert found is not None
    # A minute of speech is too little to be sure of a cut.
    assert found.certainty > MIN_CERTAINTY or len(found.pieces) > 1
    errors = [
        abs(new[0] - line.start_ms)
        for new, line in zip(found.times(moved), lines, strict=True)
        if new
    ]
    assert len(errors) == len(lines)
    assert median(errors) <= most_ms
