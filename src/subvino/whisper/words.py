"""Tokens with their times → words.

Floor 2 of the road. Pure, given a tokenizer. Words belong to one segment each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from subvino.alignment import Frames, WordTime, fit_to_sound, word_times
from subvino.audio import SAMPLE_RATE, Samples
from subvino.tokenizer import Tokenizer, merge_punctuations
from subvino.whisper.segments import TimedTokens

_LONGEST_WORD = 1.0
_LONGEST_CHARACTER = 0.1
"""Seconds: a word is at most the first plus its characters times the second. Attention that finds
nothing spreads a word over a pause or music."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word in window time; `segment` is the place of its segment among the window's."""

    text: str
    start: float
    end: float
    probability: float
    segment: int


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A word's text and which of the window's text tokens make it and its core."""

    text: str
    tokens: range
    core: range
    segment: int


def time_words(
    tokenizer: Tokenizer,
    pieces: Sequence[TimedTokens],
    onsets: Frames,
    samples: Samples,
    language: str,
) -> list[TimedWord]:
    """The words of a window, in order.

    onsets: the state at which each text token begins, and the one after the last, as
        `alignment.token_onsets` gives them.
    samples: of the window.
    """
    spellings = list(_spellings(tokenizer, pieces, language))
    logprobs = [logprob for piece in pieces for logprob in piece.logprobs]
    duration = len(samples) / SAMPLE_RATE
    all_ends = list(range(1, len(logprobs) + 1))
    token_times = word_times(onsets, all_ends, duration)
    heard = [
        WordTime(token_times[one.core.start].start, token_times[one.core.stop - 1].end)
        for one in spellings
    ]
    return [
        TimedWord(
            one.text, *plausible_time(one.text, time), _probability(logprobs, one), one.segment
        )
        for one, time in zip(spellings, fit_to_sound(heard, samples), strict=True)
    ]


def _spellings(
    tokenizer: Tokenizer, pieces: Sequence[TimedTokens], language: str
) -> Iterator[_Spelling]:
    first = 0
    for segment, piece in enumerate(pieces):
        parts = tokenizer.split_words(piece.tokens, language)
        edges = [first]
        for part in parts:
            edges.append(edges[-1] + len(part.ids))
        for word in merge_punctuations([part.text for part in parts]):
            tokens = range(edges[word.pieces.start], edges[word.pieces.stop])
            yield _Spelling(
                word.text, tokens, range(edges[word.core], edges[word.core + 1]), segment
            )
        first = edges[-1]


def plausible_time(text: str, time: WordTime) -> tuple[float, float]:
    """The word's start and end, cut where nobody speaks that slowly."""
    longest = _LONGEST_WORD + _LONGEST_CHARACTER * len(text.strip())
    return time.start, min(time.end, time.start + longest)


def _probability(logprobs: Sequence[float], word: _Spelling) -> float:
    """The mean of its tokens' (in log)."""
    values = [logprobs[token] for token in word.tokens]
    return min(math.exp(sum(values) / len(values)), 1.0)
