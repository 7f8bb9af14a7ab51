"""Attention and sound → when each word was said.

Floor 1 of the road. Pure. Where a token was heard shows in the cross-attention of the decoder's
alignment heads; the one path through it on which time never runs backwards is found by dynamic
time warping, as in openai/whisper's timing.py. Attention leads the sound by about 30 ms and knows
nothing of pauses, so each edge is then moved to what the sound itself shows nearby.

Measured on 51 sentences with word times (Dutch, 348 words heard right, joined to windows of up to
30 s): onsets within 25 ms in the median and 98.0 % within 150 ms; by attention alone 30 ms and
92.8 %. On 95 phrases of three English readings with phrase times by hand: 55 ms in the median, by
attention alone 136 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from subvino.audio import SAMPLE_RATE, Samples

Floats = npt.NDArray[np.float32]
Frames = npt.NDArray[np.int64]

SECONDS_PER_STATE = 0.02
"""An encoder state: two log-mel frames."""

ATTENTION_LEAD = 0.03
"""Seconds by which attention moves on to a word before it sounds; measured, see above."""


class WordTime(NamedTuple):
    """Window time, seconds, `start < end`."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """How far the sound may move an edge; seconds, and shares of the loudness range.

    quiet: of the range from the window's noise floor to its loud speech, below which is silence.
    trailing_quiet: the same for the end of a word, whose last sounds fade.
    min_pause: a shorter silence is a closure inside a word, not a pause.
    onset_reach: an onset nearer than this to the end of a pause is moved onto it.
    dip_before, dip_after: where a word follows without a pause, the quietest moment this long
        before and after its onset is taken for it...
    dip_slope: ...unless it is too far: shares of the loudness range that a second costs.
    mark_slope: shares of the range that a second earlier costs where a mark stands before a word.
    min_word: no word is shorter.
    stray_pause: a word of hardly any length before a pause this long belongs after it.
    """

    quiet: float = 0.25
    trailing_quiet: float = 0.12
    min_pause: float = 0.1
    onset_reach: float = 0.3
    dip_before: float = 0.05
    dip_after: float = 0.12
    dip_slope: float = 5.0
    mark_slope: float = 1.0
    min_word: float = 0.04
    stray_pause: float = 0.5


def token_onsets(attention: Floats) -> Frames:
    """The state at which each token begins, never falling: (n,).

    attention: (n, states), how much each token attends to each state.
    """
    n_tokens, n_states = attention.shape
    cost = -_median_of_three(attention).astype(np.float64)
    before = np.cumsum(cost[0])
    entries: list[tuple[Frames, npt.NDArray[np.float64]]] = []
    for row in cost[1:]:
        # Best way to enter this row at each state: straight down, or down and on by one.
        entering = np.minimum(before, np.concatenate([[np.inf], before[:-1]]))
        sums = np.cumsum(row)
        relative = entering - np.concatenate([[0.0], sums[:-1]])
        best = np.minimum.accumulate(relative)
        fresh = np.concatenate([[True], relative[1:] <= best[:-1]])
        entries.append((np.maximum.accumulate(np.where(fresh, np.arange(n_states), 0)), before))
        before = sums + best
    return _trace_back(entries, n_tokens, n_states)


def _trace_back(
    entries: Sequence[tuple[Frames, npt.NDArray[np.float64]]], n_tokens: int, n_states: int
) -> Frames:
    onsets = np.zeros(n_tokens, np.int64)
    state = n_states - 1
    for token in range(n_tokens - 1, 0, -1):
        entered_at, before = entries[token - 1]
        state = int(entered_at[state])
        onsets[token] = state
        if state > 0 and before[state - 1] <= before[state]:
            state -= 1
    return onsets


def _median_of_three(attention: Floats) -> Floats:
    """Each value's median with its neighbours in time: a lone spike is noise."""
    left = np.concatenate([attention[:, :1], attention[:, :-1]], axis=1)
    right = np.concatenate([attention[:, 1:], attention[:, -1:]], axis=1)
    low, high = np.minimum(left, right), np.maximum(left, right)
    median: Floats = np.clip(attention, low, high)
    return median


def word_times(onsets: Frames, word_ends: Sequence[int], duration: float) -> list[WordTime]:
    """The times of words by attention alone.

    onsets: of the tokens of all words, and of the token that follows them.
    word_ends: for each word, the number of tokens up to its end.
    duration: of the window, seconds.
    """
    times = np.minimum(onsets * SECONDS_PER_STATE + ATTENTION_LEAD, duration)
    starts = [0, *word_ends][: len(word_ends)]
    return [
        WordTime(float(times[start]), float(times[end]))
        for start, end in zip(starts, word_ends, strict=True)
    ]


def fit_to_sound(
    words: Sequence[WordTime], samples: Samples, rules: EdgeRules | None = None
) -> list[WordTime]:
    """The words with their edges where the sound has them; none begins before the last one ends.

    words: in order. samples: of the window, float32 (n,).
    """
    if not words:
        return []
    rules = rules or EdgeRules()
    loudness = _loudness(samples)
    starts = [word.start for word in words]
    ends = [word.end for word in words]
    for i, word in enumerate(words):
        earliest = starts[i - 1] + rules.min_word if i else 0.0
        if i and words[i - 1].end < word.start - SECONDS_PER_STATE:
            free_from = max(words[i - 1].end, earliest)
            start = _onset_after_mark(loudness, word, earliest, free_from, rules)
        elif i:
            start = _onset(loudness, word, earliest, rules)
        else:
            start = _first_onset(loudness, word, rules)
        if i and (ends[i - 1] > start or ends[i - 1] >= word.start - SECONDS_PER_STATE):
            ends[i - 1] = start
        starts[i] = start
    fitted = [
        _end(loudness, WordTime(start, max(end, start)), rules)
        for start, end in zip(starts, ends, strict=True)
    ]
    joined = _join_strays(fitted, rules)
    return _in_order(joined, rules.min_word, len(samples) / SAMPLE_RATE)


# Loudness in frames of 10 ms, as a share of the range from noise floor (0) to loud speech (1).

_FRAMES_PER_SECOND = 100
_HOP = SAMPLE_RATE // _FRAMES_PER_SECOND
_SPAN = SAMPLE_RATE // 40  # 25 ms


def _loudness(samples: Samples) -> Floats:
    padded = np.pad(samples, (_SPAN // 2, _SPAN))
    sums = np.concatenate([[0.0], np.cumsum(padded.astype(np.float64) ** 2)])
    firsts = np.arange(0, len(samples), _HOP)
    power = (sums[firsts + _SPAN] - sums[firsts]) / _SPAN
    decibels: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 1e-10))
    low, high = np.percentile(decibels, [10, 95]) if len(decibels) else (0.0, 1.0)
    share: Floats = ((decibels - low) / max(high - low, 1.0)).astype(np.float32)
    return share


def _onset(loudness: Floats, word: WordTime, earliest: float, rules: EdgeRules) -> float:
    """Where the word begins: at the end of a pause nearby, else at the quietest moment."""
    dip = _quietest(loudness, word, earliest, rules)
    first = max(earliest, dip - rules.onset_reach)
    last = min(dip + rules.onset_reach, word.end - rules.min_word)
    onsets = [time for time in _pause_ends(loudness, first, last, rules) if first <= time <= last]
    return min(onsets, key=lambda time: abs(time - dip)) if onsets else dip


def _onset_after_mark(
    loudness: Floats, word: WordTime, earliest: float, free_from: float, rules: EdgeRules
) -> float:
    """Where a word begins that follows a punctuation mark, which attention hears something in.

    That is the pause, and often the first sounds of the word as well.

    free_from: where attention ends the word before the mark.
    """
    first = _frame(max(earliest, free_from - rules.dip_before))
    last = _frame(min(word.start + rules.dip_after, word.end - rules.min_word))
    frames = np.arange(first, min(last + 1, len(loudness)))
    if len(frames) < 2:
        return max(word.start, earliest)
    times = frames / _FRAMES_PER_SECOND
    away = np.maximum(np.maximum(free_from - times, times - word.start), 0)
    cost = loudness[frames] + rules.dip_slope * away + rules.mark_slope * (word.start - times)
    dip = float(times[int(cost.argmin())])
    latest = min(max(dip, word.start) + rules.onset_reach, word.end - rules.min_word)
    onsets = _pause_ends(loudness, dip, latest, rules)
    return min(onsets, key=lambda time: abs(time - dip)) if onsets else dip


def _first_onset(loudness: Floats, word: WordTime, rules: EdgeRules) -> float:
    """Where the first word begins: attention's path starts with the window and can't tell."""
    onsets = _pause_ends(loudness, 0.0, word.end - 2 * rules.min_word, rules)
    return onsets[-1] if onsets else word.start


def _quietest(loudness: Floats, word: WordTime, earliest: float, rules: EdgeRules) -> float:
    """The moment around the word's onset that best parts it from the word before."""
    first = _frame(max(earliest, word.start - rules.dip_before))
    last = _frame(min(word.start + rules.dip_after, word.end - rules.min_word))
    frames = np.arange(first, min(last + 1, len(loudness)))
    if not earliest or len(frames) < 2:
        return max(word.start, earliest)
    padded = np.pad(loudness, 1, mode="edge")
    smooth = (padded[frames] + padded[frames + 1] + padded[frames + 2]) / 3
    cost = smooth + rules.dip_slope * np.abs(frames / _FRAMES_PER_SECOND - word.start)
    return float(frames[int(cost.argmin())] / _FRAMES_PER_SECOND)


def _pause_ends(loudness: Floats, first: float, last: float, rules: EdgeRules) -> list[float]:
    """Times in the range at which sound sets in after a pause."""
    n_quiet = round(rules.min_pause * _FRAMES_PER_SECOND)
    begin = max(_frame(first) - n_quiet, 0)
    quiet = loudness[begin : _frame(last) + 1] <= rules.quiet
    sets_in = np.flatnonzero(quiet[:-1] & ~quiet[1:]) + 1
    return [
        float((begin + frame) / _FRAMES_PER_SECOND)
        for frame in sets_in
        if frame >= n_quiet and quiet[frame - n_quiet : frame].all()
    ]


def _end(loudness: Floats, word: WordTime, rules: EdgeRules) -> WordTime:
    """The word without the silence after it."""
    first = _frame(word.start)
    sound = np.flatnonzero(loudness[first : _frame(word.end)] > rules.trailing_quiet)
    if not len(sound):
        return WordTime(word.start, min(word.end, word.start + rules.min_word))
    heard = float((first + sound[-1] + 1) / _FRAMES_PER_SECOND)
    return WordTime(word.start, heard if word.end - heard >= rules.min_pause else word.end)


def _join_strays(words: Sequence[WordTime], rules: EdgeRules) -> list[WordTime]:
    """The words, with one that was left alone before a long pause put after it.

    Attention may find the first word of a phrase right after the phrase before it: a blip of sound
    there, then the pause, then the second word, whose time is then that of both.
    """
    joined = list(words)
    for i in range(len(words) - 1, 0, -1):
        before, word = joined[i - 1], joined[i]
        follows = i < 2 or before.start - joined[i - 2].end < rules.min_pause
        is_blip = before.end - before.start <= 2 * rules.min_word
        if follows and is_blip and word.start - before.end >= rules.stray_pause:
            middle = (word.start + word.end) / 2
            joined[i - 1 : i + 1] = [WordTime(word.start, middle), WordTime(middle, word.end)]
    return joined


def _in_order(words: Sequence[WordTime], min_word: float, duration: float) -> list[WordTime]:
    """Every word at least `min_word` long where there is room, none before the last one's end."""
    ordered: list[WordTime] = []
    clock = 0.0
    for i, word in enumerate(words):
        following = words[i + 1].start if i + 1 < len(words) else duration
        start = max(word.start, clock)
        end = max(word.end, min(start + min_word, max(following, start)))
        clock = max(end, start)
        ordered.append(WordTime(start, clock))
    return ordered


def _frame(time: float) -> int:
    return max(round(time * _FRAMES_PER_SECOND), 0)
