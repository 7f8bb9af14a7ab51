"""Whisper's rules on timestamps, and beams, as cases and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.graphs.head import FORBIDDEN, Vocabulary
from subvino.whisper.hypothesis import Hypothesis, beam_step, permitted

EOT, TIME = 30, 40
VOCABULARY = Vocabulary(n_vocab=TIME + 1501, eot=EOT, timestamp_begin=TIME)


def at(seconds: float) -> int:
    """The token of a time."""
    return TIME + round(seconds / 0.02)


CASES = {
    "the first token is a time of at most one second": ((), (False, False, range(51))),
    "text follows the time that opens": ((at(0.5),), (True, True, range(0))),
    "text goes on, or a later time closes it": ((at(0.5), 7), (True, True, range(26, 1501))),
    "after a closing time, the end or the same or a later time opens": (
        (at(0.5), 7, at(2.0)),
        (False, True, range(100, 1501)),
    ),
    "after two times comes text": ((at(0.5), 7, at(2.0), at(2.0)), (True, True, range(0))),
    "a segment lasts longer than nothing": (
        (at(0.5), 7, at(2.0), at(2.0), 8),
        (True, True, range(101, 1501)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_timestamp_rules(name: str) -> None:
    tokens, (text, end, times) = CASES[name]
    found = permitted(tokens, VOCABULARY)
    assert (found.text == 0.0) is text
    assert (found.end == 0.0) is end
    assert range(found.earliest, found.latest + 1) == times


def test_text_does_not_end_at_a_time_with_speech_behind_it() -> None:
    closed, opened = (at(0.5), 7, at(2.0)), (at(0.5), 7, at(2.0), at(2.0))
    for tokens in (closed, opened):
        for owed, may_end in ((0, True), (100, True), (101, False)):
            assert (permitted(tokens, VOCABULARY, owed).end == 0.0) is may_end
    assert permitted((at(0.5), 7), VOCABULARY, owed=1400).end == 0.0  # what no time closes goes on


@given(st.lists(st.floats(0, 1), max_size=40))
def test_text_made_by_the_rules_is_well_formed(draws: list[float]) -> None:
    """Whatever is chosen among what is allowed, times never fall and segments alternate."""
    tokens: tuple[int, ...] = ()
    for draw in draws:
        allowed = permitted(tokens, VOCABULARY)
        options = [5, 6] if allowed.text > FORBIDDEN / 2 else []
        options += [TIME + i for i in range(allowed.earliest, allowed.latest + 1)][:60]
        if not options:
            break
        tokens = (*tokens, options[int(draw * (len(options) - 1))])
    times = [token for token in tokens if token >= TIME]
    assert times == sorted(times)
    assert not tokens or tokens[0] >= TIME
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        assert not (before >= TIME and token >= TIME and after >= TIME)


def beams(*texts: tuple[tuple[int, ...], float]) -> list[Hypothesis]:
    return [Hypothesis(tokens, (score,) + (0.0,) * (len(tokens) - 1)) for tokens, score in texts]


def test_the_likeliest_continuations_go_on() -> None:
    live = beams(((1,), -1.0), ((2,), -1.5))
    tokens = np.array([[5, 6, 7], [8, 9, 7]], np.int32)
    logprobs = np.array([[-1.0, -2.0, -3.0], [-0.1, -2.0, -3.0]], np.float32)
    step = beam_step(live, tokens, logprobs, EOT)
    assert [one.tokens for one in step.live] == [(2, 8), (1, 5)]
    assert step.parents == (1, 0)
    assert step.ended == ()


def test_a_beam_that_ends_makes_room_for_the_next_best() -> None:
    live = beams(((1,), -1.0), ((2,), -1.5))
    tokens = np.array([[EOT, 6, 7], [8, 9, 7]], np.int32)
    logprobs = np.array([[-0.1, -2.0, -3.0], [-1.0, -2.5, -3.0]], np.float32)
    step = beam_step(live, tokens, logprobs, EOT)
    assert [one.tokens for one in step.ended] == [(1,)]
    assert step.ended[0].sum_logprob == pytest.approx(-1.1)
    assert [one.tokens for one in step.live] == [(2, 8), (1, 6)]


def test_at_the_start_all_beams_are_one() -> None:
    tokens = np.array([[5, 6, 7]] * 2, np.int32)
    logprobs = np.array([[-1.0, -2.0, -3.0]] * 2, np.float32)
    step = beam_step([Hypothesis()] * 2, tokens, logprobs, EOT)
    assert [one.tokens for one in step.live] == [(5,), (6,)]


def test_where_the_rules_leave_few_continuations_the_last_one_stands_for_the_rest() -> None:
    """What is ruled out is never said, and never counts as an end."""
    live = beams(((1,), -1.0), ((2,), -1.5), ((3,), -2.0))
    tokens = np.array([[8, EOT, 6, 7]] + [[EOT, 5, 6, 7]] * 2, np.int32)
    logprobs = np.full((3, 4), FORBIDDEN, np.float32)
    logprobs[0, 0] = -1.0
    step = beam_step(live, tokens, logprobs, EOT)
    assert [one.tokens for one in step.live] == [(1, 8)] * 3
    assert step.parents == (0, 0, 0)
    assert step.ended == ()


def test_beams_that_can_only_end_have_ended() -> None:
    tokens = np.array([[EOT, 6, 7]] * 2, np.int32)
    logprobs = np.array([[-0.1, FORBIDDEN, FORBIDDEN]] * 2, np.float32)
    step = beam_step(beams(((1,), -1.0), ((2,), -1.5)), tokens, logprobs, EOT)
    assert all(one.ended for one in step.live)
    assert [one.tokens for one in step.ended] == [(1,), (2,)]
