from __future__ import annotations

import numpy as np
import pytest

from subvino.tokenizer import Tokenizer
from subvino.whisper.language import STAY, language_probabilities, likeliest, vote
from tests.whisper.made_up import N_VOCAB, make_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.mark.parametrize(
    ("english", "german", "last", "expected"),
    [
        (0.7, 0.3, None, "en"),
        (0.3, 0.7, None, "de"),
        (0.3, 0.3 + STAY - 0.01, "en", "en"),
        (0.3, 0.3 + STAY + 0.01, "en", "de"),
        (0.6, 0.4, "de", "de"),
        (0.9, 0.1, "de", "en"),
    ],
)
def test_a_language_changes_only_where_another_is_clearly_likelier(
    english: float, german: float, last: str | None, expected: str
) -> None:
    belief = {"en": english, "de": german}
    ordered = dict(sorted(belief.items(), key=lambda pair: -pair[1]))
    assert likeliest(ordered, last) == (expected, belief[expected])


def test_long_windows_count_more(tokenizer: Tokenizer) -> None:
    rows = np.zeros((2, len(tokenizer.languages)), np.float32)
    rows[0, 0], rows[1, 2] = 1.0, 1.0
    found = vote(tokenizer, rows, [30.0, 10.0])
    assert list(found.items())[:2] == [("en", 0.75), ("de", 0.25)]
    assert len(found) == 99
    assert vote(tokenizer, rows[:0], []) == {}


def test_only_languages_share_the_probability(tokenizer: Tokenizer) -> None:
    scores = np.full((1, N_VOCAB), 50.0, np.float32)
    scores[0, list(tokenizer.language_ids.values())] = 0.0
    scores[0, tokenizer.language_ids["fr"]] = np.log(99.0)
    found = language_probabilities(tokenizer, scores)[0]
    assert found.sum() == pytest.approx(1.0)
    assert found[tokenizer.languages.index("fr")] == pytest.approx(99 / 197)
