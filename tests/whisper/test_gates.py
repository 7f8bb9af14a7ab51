from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subvino.recognizer import DecodingOptions
from subvino.whisper.attempt import Attempt
from subvino.whisper.gates import Gates
from subvino.whisper.hypothesis import Hypothesis
from tests.whisper.made_up import make_tokenizer


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Gates:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    return Gates(make_tokenizer(folder), DecodingOptions())


def text(avg_logprob: float) -> Attempt:
    said = Hypothesis((5, 6, 7), (avg_logprob,) * 4, ended=True)
    return Attempt(said, 0.0, no_speech_prob=0.0, compression_ratio=1.0, loops=False)


def test_a_text_tells_its_language_together_with_what_was_heard(gates: Gates) -> None:
    assert gates.in_language(text(-0.3), 0.4) > gates.in_language(text(-0.8), 0.6)
    assert gates.in_language(text(-0.93), 0.72) > gates.in_language(text(-0.76), 0.07)
    assert gates.in_language(text(-0.3), 0.0) < gates.in_language(text(-0.3), 0.02)


def test_a_text_that_fails_tells_nothing_beside_one_that_passes(gates: Gates) -> None:
    loop = replace(text(-0.1), loops=True)
    assert gates.in_language(loop, 0.8) < gates.in_language(text(-0.9), 0.1)
