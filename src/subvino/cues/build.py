"""Transcript to cues: the cheapest chain of them, on lines, with times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from subvino.cues.prices import price_cues
from subvino.cues.profiles import rules_for
from subvino.cues.rules import CueRules, count_chars
from subvino.cues.speech import Speech, Unit, measure_speech
from subvino.cues.times import SHORTEST_MS, Floats, out_times, reading_time_ms
from subvino.linebreak import break_lines, primary_language
from subvino.subtitles import Cue, CueWord, Subtitles
from subvino.transcript import Transcript


def build_cues(
    transcript: Transcript,
    rules: CueRules | None = None,
    language: str | None = None,
    shot_changes: Sequence[float] = (),
) -> Subtitles:
    """The transcript's words, all of them and in order, as cues.

    rules: `rules_for("default", language)` where None.
    language: of the text, `transcript.text_language` where None.
    shot_changes: seconds of media time at which a new shot begins.
    """
    language = transcript.text_language if language is None else language
    rules = rules_for("default", language) if rules is None else rules
    speech = measure_speech(transcript, primary_language(language), rules, shot_changes)
    if not speech.units:
        return Subtitles((), language)
    chain = cheapest_chain(price_cues(speech, rules))
    return Subtitles(tuple(_time_cues(speech, chain, rules)), language)


def cheapest_chain(prices: Floats) -> tuple[int, ...]:
    """Where the cheapest chain of cues begins each of them, and n: 0 = b0 < b1 < ... = n.

    prices: [j, k - 1] of the cue of the k units that end before unit j.
    """
    n, most = prices.shape[0] - 1, prices.shape[1]
    # cost[-1 - j] is the cheapest chain up to unit j: backwards, so that each look back is a slice.
    cost = np.full(n + 1 + most, np.inf)
    cost[n] = 0.0
    steps = np.zeros(n + 1, dtype=np.int64)
    for j in range(1, n + 1):
        options = prices[j] + cost[n - j + 1 : n - j + 1 + most]
        k = int(options.argmin())
        cost[n - j], steps[j] = options[k], k + 1
    chain = [n]
    while chain[-1] > 0:
        chain.append(chain[-1] - int(steps[chain[-1]]))
    return tuple(reversed(chain))


def _time_cues(speech: Speech, chain: Sequence[int], rules: CueRules) -> Iterator[Cue]:
    lines = [_lines_of(speech, a, b, rules) for a, b in pairwise(chain)]
    first, after = np.array(chain[:-1]), np.array(chain[1:])
    chars = np.array([count_chars(cue, rules) for cue in lines])
    reading = reading_time_ms(chars, np.float64(0) + after - first, rules)
    starts, limits = speech.onsets[first], speech.onsets[after] - rules.min_gap_ms
    outs = out_times(starts, speech.ends[after - 1], limits, reading, speech.shots, rules)
    free_from = 0
    for text, a, b, start, out in zip(lines, chain, chain[1:], starts, outs, strict=False):
        # Only words at the same time, or nearly so, make a cue wait for the one before it.
        start_ms = max(round(start), free_from)
        end_ms = max(round(out), start_ms + SHORTEST_MS)
        yield Cue(start_ms, end_ms, text, _cue_words(speech.units[a:b], start_ms, end_ms))
        free_from = end_ms + rules.min_gap_ms


def _lines_of(speech: Speech, start: int, end: int, rules: CueRules) -> tuple[str, ...]:
    texts = [unit.text for unit in speech.units[start:end]]
    return break_lines([texts[0].lstrip(), *texts[1:]], rules.line_rules, speech.language)


def _cue_words(units: Sequence[Unit], start_ms: int, end_ms: int) -> tuple[CueWord, ...]:
    return tuple(
        CueWord(
            unit.text if index else unit.text.lstrip(),
            min(max(unit.start_ms, start_ms), end_ms),
            min(max(unit.end_ms, start_ms), end_ms),
        )
        for index, unit in enumerate(units)
    )
