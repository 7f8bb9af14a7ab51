from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.evaluate.manifest import Clip, Span, TimedText
from subvino.evaluate.wer import ErrorCounts, Unit, align, count_errors, reference_units

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=8)


def count(reference: str, heard: str) -> ErrorCounts:
    return count_heard([Unit(word) for word in reference.split()], heard)


def count_heard(reference: list[Unit], heard: str) -> ErrorCounts:
    return count_errors(reference, heard.split())


def distance(reference: tuple[str, ...], heard: tuple[str, ...]) -> int:
    """Levenshtein's by its definition, to check against."""

    @cache
    def rest(i: int, j: int) -> int:
        if i == len(reference) or j == len(heard):
            return len(reference) - i + len(heard) - j
        same = reference[i] == heard[j]
        return min(rest(i + 1, j) + 1, rest(i, j + 1) + 1, rest(i + 1, j + 1) + (not same))

    return rest(0, 0)


@pytest.mark.parametrize(
    ("pairs", "rate"),
    [
        # The pairs of jiwer's usage page, https://jitsi.github.io/jiwer/usage/; rates by hand.
        ([("hello world", "hello duck")], 1 / 2),
        ([("hello world", "hello duck"), ("i like monthy python", "i like python")], 2 / 6),
        # In characters: two wrong, one left out, of 11 + 6.
        (
            [
                ("i _ c a n _ s p e l l", "i _ k a n _ c p e l l"),
                ("i _ h o p e", "i _ h o p"),
            ],
            3 / 17,
        ),
    ],
)
def test_published_examples_have_their_rates(pairs: list[tuple[str, str]], rate: float) -> None:
    total = sum((count(*pair) for pair in pairs), ErrorCounts())
    assert total.rate == pytest.approx(rate)


def test_each_kind_of_error_is_told_apart() -> None:
    assert count("a b c d", "a x c e d") == ErrorCounts(3, substitutions=1, insertions=1)
    assert count("a b c", "a c") == ErrorCounts(2, deletions=1)
    assert count("a b", "") == ErrorCounts(0, deletions=2)


def test_without_a_reference_there_is_no_rate() -> None:
    assert count("", "a b") == ErrorCounts(insertions=2)
    assert count("", "a b").rate is None


@given(WORDS, WORDS)
def test_counts_add_up_and_no_fewer_edits_would_do(reference: list[str], heard: list[str]) -> None:
    counts = count(" ".join(reference), " ".join(heard))
    assert counts.n_errors == distance(tuple(reference), tuple(heard))
    assert counts.n_reference == len(reference)
    assert counts.hits + counts.substitutions + counts.insertions == len(heard)


@given(WORDS, WORDS)
def test_an_alignment_walks_through_both_sides_in_order(
    reference: list[str], heard: list[str]
) -> None:
    edits = list(align(reference, heard))
    assert [e.reference for e in edits if e.kind != "insert"] == list(range(len(reference)))
    assert [e.heard for e in edits if e.kind != "delete"] == list(range(len(heard)))
    assert all(
        (e.kind == "equal") == (reference[e.reference] == heard[e.heard])
        for e in edits
        if e.kind in ("equal", "substitute")
    )


def clip(*pieces: tuple[str, float, float], excluded: tuple[Span, ...]) -> Clip:
    timed = tuple(TimedText(*piece) for piece in pieces)
    text = " ".join(piece.text for piece in timed)
    return Clip("a", Path("a.flac"), text, "de", pieces=timed, excluded=excluded)


def test_what_is_heard_in_an_excluded_stretch_does_not_count() -> None:
    units = reference_units(
        clip(("guten tag", 0, 2), ("lorem ipsum", 2, 4), ("auf bald", 4, 6), excluded=(Span(2, 4),))
    )
    assert count_errors(
        units, ["guten", "tag", "wer", "weiß", "das", "schon", "auf", "bald"]
    ) == ErrorCounts(4)
    assert count_errors(units, ["guten", "auf", "bald"]) == ErrorCounts(3, deletions=1)


def test_an_excluded_stretch_may_have_no_words_in_the_reference() -> None:
    units = reference_units(
        clip(("guten tag", 0, 2), ("auf bald", 4, 6), excluded=(Span(2.5, 3.5),))
    )
    assert count_errors(
        units, ["guten", "tag", "wer", "weiß", "das", "auf", "bald"]
    ) == ErrorCounts(4)


def test_after_the_end_of_the_reference_anything_may_be_heard() -> None:
    untimed = Clip(
        "a", Path("a.flac"), "guten tag", "de",
        pieces=(TimedText("guten tag", None, None),), excluded=(Span(3, math.inf),),
    )  # fmt: skip
    units = reference_units(untimed)
    assert count_heard(units, "guten tag und viel mehr") == ErrorCounts(2)
    assert count_heard(units, "guten") == ErrorCounts(1, deletions=1)
