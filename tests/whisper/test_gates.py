from __future__ import annotations

from dataclasses import replace

import pytest

from subvino.audio import SpeechSegment, Window
from subvino.recognizer import DecodingOptions
from subvino.tokenizer import Tokenizer
from subvino.whisper.attempt import Attempt
from subvino.whisper.gates import Gates
from subvino.whisper.hypothesis import Hypothesis
from tests.whisper.made_up import make_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def gates(tokenizer: Tokenizer) -> Gates:
    return Gates(tokenizer, DecodingOptions())


def text(avg_logprob: float) -> Attempt:
    said = Hypothesis((5, 6, 7), (avg_logprob,) * 4, ended=True)
    return Attempt(said, 0.0, no_speech_prob=0.0, compression_ratio=1.0, loops=False)


def said(tokenizer: Tokenizer, *phrases: tuple[float, ...]) -> Hypothesis:
    """Phrases of text tokens with these log-probabilities, a timestamp around each."""
    tokens: list[int] = []
    logprobs: list[float] = []
    time = tokenizer.timestamp_begin
    for phrase in phrases:
        tokens += [time, *range(5, 5 + len(phrase)), time + 50]
        logprobs += [-0.3, *phrase, -0.3]
        time += 50
    return Hypothesis(tuple(tokens), tuple(logprobs))


SURE, DOUBTFUL = (-0.1,) * 40, (-0.4,) * 4


def test_a_window_is_in_doubt_with_one_of_its_phrases(gates: Gates, tokenizer: Tokenizer) -> None:
    assert not gates.is_hopeless(said(tokenizer, SURE))
    assert not gates.is_hopeless(said(tokenizer, SURE, DOUBTFUL[:2]))
    assert gates.is_hopeless(said(tokenizer, SURE, DOUBTFUL))
    assert gates.is_hopeless(said(tokenizer, DOUBTFUL, SURE))
    unfinished = said(tokenizer, SURE, DOUBTFUL)
    assert not gates.is_hopeless(Hypothesis(unfinished.tokens[:-1], unfinished.logprobs[:-1]))


@pytest.mark.parametrize(("phrases", "sure"), [((SURE, SURE), True), ((SURE, DOUBTFUL), False)])
def test_a_draft_is_sure_if_all_its_phrases_are(
    gates: Gates, tokenizer: Tokenizer, phrases: tuple[tuple[float, ...], ...], sure: bool
) -> None:
    whole = replace(said(tokenizer, *phrases), ended=True)
    draft = replace(text(-0.1), hypothesis=replace(whole, logprobs=(*whole.logprobs, -0.1)))
    assert draft.hypothesis.avg_logprob >= -0.25
    assert gates.is_sure(draft) is sure


def window(seconds: float) -> Window:
    return Window((SpeechSegment(0.0, seconds),))


@pytest.mark.parametrize(("seconds", "drafts"), [(4.9, False), (5.0, True), (30.0, True)])
def test_short_windows_have_no_draft(gates: Gates, seconds: float, drafts: bool) -> None:
    assert gates.drafts(window(seconds)) is drafts


@pytest.mark.parametrize(
    ("options", "can_merge", "drafts"),
    [
        (DecodingOptions(beam_size=1), False, False),
        (DecodingOptions(beam_size=1), True, True),
        (DecodingOptions(beam_size=5, sure_logprob=None), True, False),
        (DecodingOptions(beam_size=5, sure_logprob=0.0), True, False),
        (DecodingOptions(beam_size=5, temperatures=(0.4,)), True, False),
    ],
)
def test_drafts_are_made_where_they_are_cheaper(
    tokenizer: Tokenizer, options: DecodingOptions, can_merge: bool, drafts: bool
) -> None:
    gates = Gates(tokenizer, options, can_merge=can_merge)
    assert gates.drafts(window(10.0)) is drafts


def test_a_text_tells_its_language_together_with_what_was_heard(gates: Gates) -> None:
    assert gates.in_language(text(-0.3), 0.4) > gates.in_language(text(-0.8), 0.6)
    assert gates.in_language(text(-0.93), 0.72) > gates.in_language(text(-0.76), 0.07)
    assert gates.in_language(text(-0.3), 0.0) < gates.in_language(text(-0.3), 0.02)


def test_a_text_that_fails_tells_nothing_beside_one_that_passes(gates: Gates) -> None:
    loop = replace(text(-0.1), loops=True)
    assert gates.in_language(loop, 0.8) < gates.in_language(text(-0.9), 0.1)
