from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from subvino.tokenizer import Tokenizer
from subvino.whisper.segments import TimedTokens
from subvino.whisper.words import TimedWord, time_words
from tests.whisper.made_up import make_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def words_of(tokenizer: Tokenizer, texts: list[str], language: str = "en") -> list[TimedWord]:
    """Words of segments whose tokens begin 0.1 s after each other, over steady sound."""
    pieces = [
        TimedTokens(tuple(ids), (-0.25,) * len(ids), 0.0, 1.0)
        for ids in (tokenizer.encode(text) for text in texts)
    ]
    n_tokens = sum(len(piece.tokens) for piece in pieces)
    samples = np.tile(np.array([0.1, -0.1], np.float32), 800 * (n_tokens + 1))
    onsets = np.arange(n_tokens + 1, dtype=np.int64) * 5
    return time_words(tokenizer, pieces, onsets, samples, language)


def test_words_belong_to_their_segments(tokenizer: Tokenizer) -> None:
    found = words_of(tokenizer, [" We saw it.", " Then", " it went"])
    assert [(word.text, word.segment) for word in found] == [
        (" We", 0),
        (" saw", 0),
        (" it.", 0),
        (" Then", 1),
        (" it", 2),
        (" went", 2),
    ]
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert [word.probability for word in found] == pytest.approx([np.exp(-0.25)] * 6)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ja", "これは本。", ["こ", "れ", "は", "本。"]),
        ("th", "ที่นี่", ["ที่", "นี่"]),  # marks stay with the consonant they stand on
        ("hi", " हिन्दी है", [" हिन्दी", " है"]),
        ("de", " cafe\u0301 zu", [" cafe\u0301", " zu"]),
        ("en", ' "No!" he said', [' "No!"', " he", " said"]),
    ],
)
def test_scripts_part_into_their_words(
    tokenizer: Tokenizer, language: str, text: str, expected: list[str]
) -> None:
    found = words_of(tokenizer, [text], language)
    assert [word.text for word in found] == expected


def test_a_character_that_is_cut_off_is_a_word_all_the_same(tokenizer: Tokenizer) -> None:
    """A model may end within the bytes of a character."""
    ids = tuple(tokenizer.encode(" a本")[:-1])
    piece = TimedTokens(ids, (-1.0,) * len(ids), 0.0, 1.0)
    onsets = np.arange(len(ids) + 1, dtype=np.int64) * 5
    found = time_words(tokenizer, [piece], onsets, np.zeros(16_000, np.float32), "en")
    assert "".join(word.text for word in found) == tokenizer.decode(ids)


def test_nobody_speaks_that_slowly(tokenizer: Tokenizer) -> None:
    ids = tuple(tokenizer.encode(" a"))
    piece = TimedTokens(ids, (-1.0,) * len(ids), 0.0, 30.0)
    samples = np.tile(np.array([0.1, -0.1], np.float32), 240_000)
    onsets = np.array([0, 0, 1499], np.int64)
    (word,) = time_words(tokenizer, [piece], onsets, samples, "en")
    assert word.end - word.start <= 1.1 + 1e-6


def test_no_text_has_no_words(tokenizer: Tokenizer) -> None:
    onsets = np.zeros(1, np.int64)
    assert time_words(tokenizer, [], onsets, np.zeros(16_000, np.float32), "en") == []
