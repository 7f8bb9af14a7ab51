from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.matching import match_words, normal_word

WORDS = st.lists(
    st.sampled_from(["the", "of", "and", "old", "grey", "mill", "river", "stone", "walked", "home"])
)


@given(WORDS, WORDS)
def test_matches_rise_and_lie_in_both_texts(given_words: list[str], heard: list[str]) -> None:
    matches = match_words(given_words, heard)
    assert len(matches) == len(given_words)
    found = [match for match in matches if match is not None]
    assert all(a < b for a, b in pairwise(found))
    assert all(0 <= match < len(heard) for match in found)


@given(st.lists(st.text(min_size=1, max_size=4), max_size=60))
def test_a_text_matches_itself_word_by_word(words: list[str]) -> None:
    assert match_words(words, words) == list(range(len(words)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_as_many_words_are_found_as_a_plain_difference_finds(seed: int) -> None:
    """Held to Python's own difflib on texts with words changed, left out and added."""
    draw = random.Random(seed)  # noqa: S311
    ours = [f"w{draw.randrange(200)}" for _ in range(300)]
    theirs = [
        word
        for one in ours
        for word in draw.choice([[one]] * 8 + [["x"], [], [one, f"w{draw.randrange(200)}"]])
    ]
    equal = sum(
        1 for i, j in enumerate(match_words(ours, theirs)) if j is not None and ours[i] == theirs[j]
    )
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    assert equal >= 0.97 * sum(block.size for block in blocks)


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ("Good morning, Mr. Hale!", "good morning mister hale", [0, 1, None, 3]),
        ("beauty's rose might", "beauties rose might", [0, 1, 2]),
        ("one two", "", [None, None]),
        ("", "one two", []),
    ],
)
def test_words_that_sound_alike_are_one(ours: str, theirs: str, wanted: list[int | None]) -> None:
    found = match_words(ours.split(), theirs.split())
    known = [pair for pair in zip(found, wanted, strict=True) if pair[1] is not None]
    assert all(a == b for a, b in known)


def test_a_long_text_takes_no_table_of_all_pairs() -> None:
    words = [f"word{i % 7919}x{i}" for i in range(30_000)]
    assert match_words(words, words[100:]) == [None] * 100 + list(range(29_900))


def test_words_are_compared_without_case_accents_and_punctuation() -> None:
    assert normal_word(" «Élan»,") == normal_word("elan") == "elan"
    assert normal_word("日本。") == "日本"
