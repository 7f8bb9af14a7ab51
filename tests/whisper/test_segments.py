from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.recognizer import Carry, DecodingOptions
from subvino.tokenizer import Tokenizer
from subvino.transcript import Segment
from subvino.whisper.recording import DecodedPart, DecodedWindow
from subvino.whisper.segments import make_segments, split_at_timestamps
from tests.whisper.made_up import attempt, make_tokenizer, part, spoken, window

BEGIN = 100


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def at(seconds: float) -> int:
    return BEGIN + round(seconds / 0.02)


CASES = {
    "text between two times": ((at(1), 5, 6, at(3)), [((5, 6), 1.0, 3.0)]),
    "text that no time opens begins with the window": ((5, at(3)), [((5,), 0.0, 3.0)]),
    "text that no time closes ends with it": ((at(1), 5), [((5,), 1.0, 10.0)]),
    "times later than the end are the end": ((at(1), 5, at(12)), [((5,), 1.0, 10.0)]),
    "a time that runs back gives no length": ((at(4), 5, at(2)), [((5,), 4.0, 4.0)]),
    "times alone are no text": ((at(1), at(3)), []),
    "nothing": ((), []),
    "one after the other": (
        (at(0), 5, at(2), at(2), 6, 7, at(4)),
        [((5,), 0.0, 2.0), ((6, 7), 2.0, 4.0)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_tokens_are_split_at_times(name: str) -> None:
    tokens, expected = CASES[name]
    found = split_at_timestamps(tokens, [-0.5] * len(tokens), BEGIN, 10.0)
    assert [(piece.tokens, piece.start, piece.end) for piece in found] == expected
    assert all(len(piece.logprobs) == len(piece.tokens) for piece in found)


@given(st.lists(st.integers(0, BEGIN + 1500), max_size=40), st.floats(0.01, 30.0))
def test_no_text_is_lost_whatever_the_times(tokens: list[int], duration: float) -> None:
    found = split_at_timestamps(tokens, [0.0] * len(tokens), BEGIN, duration)
    text = [token for token in tokens if token < BEGIN]
    assert [token for piece in found for token in piece.tokens] == text
    assert all(0.0 <= piece.start <= piece.end <= duration for piece in found)


def make(tokenizer: Tokenizer, *parts: DecodedPart, multilingual: bool = False) -> list[Segment]:
    options = DecodingOptions(language="en", multilingual=multilingual)
    decoded = DecodedWindow(parts[0].sound, parts, Carry("en", 1.0))
    return list(make_segments(tokenizer, decoded, options))


def test_what_models_invent_is_taken_out_only_where_they_doubt(tokenizer: Tokenizer) -> None:
    tokens = spoken(tokenizer, 0.0, " Thank you for watching!", 2.0, 2.0, " Good night.", 4.0)
    sound = window((0.0, 5.0))
    for logprob, taken_out in ((-0.1, [False, False]), (-0.8, [True, False])):
        found = make(tokenizer, part(sound, attempt(tokens, logprob=logprob)))
        assert [segment.verdict is not None for segment in found] == taken_out
        assert [segment.text for segment in found] == ["Thank you for watching!", "Good night."]


def test_silence_keeps_its_text_under_a_verdict(tokenizer: Tokenizer) -> None:
    tokens = spoken(tokenizer, 0.0, " you", 2.0)
    doubtful = attempt(tokens, logprob=-1.5, no_speech_prob=0.9)
    (found,) = make(tokenizer, part(window((0.0, 5.0)), doubtful))
    assert (found.text, found.verdict) == ("you", "no speech")


def test_guesswork_at_the_end_of_a_good_text_is_taken_out(tokenizer: Tokenizer) -> None:
    tokens = spoken(tokenizer, 0.0, " Good night to everybody here.", 2.0, 2.0, " hm", 4.0)
    n_guessed = len(spoken(tokenizer, " hm", 4.0)) + 1
    for logprob, verdicts in ((-0.9, [None, None]), (-3.0, [None, "guesswork"])):
        given = attempt(tokens)
        sure = given.hypothesis.logprobs[:-n_guessed]
        said = replace(given.hypothesis, logprobs=(*sure, *[logprob] * n_guessed))
        found = make(tokenizer, part(window((0.0, 5.0)), replace(given, hypothesis=said)))
        assert [one.verdict and one.verdict.split()[0] for one in found] == verdicts


def test_a_loop_stands_once_and_its_repeats_under_a_verdict(tokenizer: Tokenizer) -> None:
    said: list[str | float] = [0.0, " Well then.", 1.0]
    for i in range(8):
        said += [1.0 + i, " go go", 2.0 + i]
    found = make(tokenizer, part(window((0.0, 20.0)), attempt(spoken(tokenizer, *said))))
    assert [segment.verdict is None for segment in found] == [True, True] + [False] * 7
    assert found[1].text == "go go"


def test_segments_say_their_language_where_each_window_may_have_its_own(
    tokenizer: Tokenizer,
) -> None:
    one = part(window((0.0, 5.0)), attempt(spoken(tokenizer, 0.0, " ja", 2.0)), "de")
    assert make(tokenizer, one, multilingual=True)[0].language == "de"
    assert make(tokenizer, one)[0].language is None


def timed(tokenizer: Tokenizer, start: float, end: float, text: str) -> DecodedPart:
    """A part whose words are spread evenly over it."""
    tokens = spoken(tokenizer, 0.0, text, end - start)
    n_text = len(tokens) - 2
    onsets = [round(i * (end - start) / 0.02 / n_text) for i in range(n_text + 1)]
    return part(window((start, end)), attempt(tokens, onsets=onsets))


def test_a_word_heard_on_both_sides_of_a_cut_stands_once(tokenizer: Tokenizer) -> None:
    found = make(
        tokenizer,
        timed(tokenizer, 0.0, 4.0, " over the old bridge"),
        timed(tokenizer, 3.8, 8.0, " Bridge and away"),
    )
    assert [segment.text for segment in found] == ["over the old bridge", "and away"]
    assert found[1].words is not None
    assert found[1].start == found[1].words[0].start


def test_a_part_that_only_repeats_is_left_out(tokenizer: Tokenizer) -> None:
    found = make(
        tokenizer,
        timed(tokenizer, 0.0, 4.0, " over the bridge"),
        timed(tokenizer, 3.8, 4.4, " bridge."),
        timed(tokenizer, 5.0, 8.0, " and away"),
    )
    assert [segment.text for segment in found] == ["over the bridge", "and away"]


def test_what_is_said_twice_stands_twice(tokenizer: Tokenizer) -> None:
    found = make(
        tokenizer,
        timed(tokenizer, 0.0, 4.0, " row the boat"),
        timed(tokenizer, 6.0, 8.0, " boat by boat"),
    )
    assert [segment.text for segment in found] == ["row the boat", "boat by boat"]


def test_words_that_a_verdict_took_out_are_repeated_by_nobody(tokenizer: Tokenizer) -> None:
    sound = window((0.0, 4.0))
    tokens = spoken(tokenizer, 0.0, " you", 2.0)
    silent = attempt(tokens, logprob=-1.5, no_speech_prob=0.9, onsets=[0, 60, 120, 180, 195])
    found = make(tokenizer, part(sound, silent), timed(tokenizer, 3.8, 8.0, " you see"))
    assert [segment.text for segment in found if segment.verdict is None] == ["you see"]


def test_what_was_missed_in_the_middle_stands_in_the_middle(tokenizer: Tokenizer) -> None:
    tokens = spoken(tokenizer, 0.0, " one", 4.0, 12.0, " three", 20.0)
    outer = part(window((0.0, 20.0)), attempt(tokens))
    inner = part(window((3.9, 12.1)), attempt(spoken(tokenizer, 0.2, " two", 8.0)))
    assert [segment.text for segment in make(tokenizer, outer, inner)] == ["one", "two", "three"]
