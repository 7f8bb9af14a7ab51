"""What every cue that might be cut costs."""

from __future__ import annotations

import numpy as np

from subvino.cues.rules import CueRules
from subvino.cues.speech import Speech
from subvino.cues.times import Floats, out_times, reading_time_ms
from subvino.linebreak import NEVER, break_cost, layout_offset, line_cost

# Prices, in units of a line break's cost. Tuned by reading cues of real speech in nine languages.
_CUE_COST = 1.0
"""Of a cue as such: with it, cues are as few as the rest allows."""
_CUT_WEIGHT = 3.0
"""A cut between cues weighs this many times a line break at the same place."""
_CUT_FADE_MS = 400.0
"""A pause this long takes the bond at a cut down to 1/e: speech itself parts the words."""
_FILL_COST = 0.6
"""Of a cue filled to the last character; half-filled cues cost a quarter of it."""
_SENTENCE_INSIDE_COST = 0.5
_SEGMENT_INSIDE_COST = 0.15
"""The model's segments are a hint only."""
_TAIL_COST, _TAIL_WORD_COST = 0.9, 0.6
"""A cue that ends with the first words of a sentence, or with a single one."""
_HEAD_COST = 0.4
"""A cue that begins with the last words of a sentence and goes on with another."""
_LONE_UNIT_COST = 0.8
"""A single unit on its own that is no sentence."""
_PAUSE_FREE_MS, _PAUSE_COST_PER_S = 200.0, 2.0
_LONG_PAUSE_MS, _LONG_PAUSE_COST = 2000.0, 10.0
_SHORT_COST, _TOO_SHORT_COST = 1.0, 6.0
"""Being under the least duration at all, and by how much of it."""
_HURRY_COST, _HURRY_COST_PER_S = 1.0, 2.0
_HURRY_MOST = 3.0
"""Being too fast to read at all, and a second that reading would need and the cue has not, times
how much too fast it is."""
_IMPOSSIBLE = float("inf")


_MAX_UNITS = 120
"""Units in one cue at most; only texts of one-letter words or huge lines come near."""


def price_cues(speech: Speech, rules: CueRules) -> Floats:
    """[j, k - 1]: the price of the cue of the k units that end before unit j; (n + 1, K)."""
    n = len(speech.units)
    layouts = _price_layouts(speech, rules, _most_units(speech, rules.max_chars * rules.max_lines))
    cuts, inside = _price_cuts(speech), _price_insides(speech)
    prices = np.full((n + 1, len(layouts)), _IMPOSSIBLE)
    for k, layout in enumerate(layouts, start=1):
        price = layout + inside[k - 1 : n] - inside[: n - k + 1] + cuts[k:]
        price += _price_time(speech, rules, k) + _price_sense(speech, k)
        prices[k:, k - 1] = price + _CUE_COST + _price_fill(speech, rules, k)
    return prices


def _widths(speech: Speech, k: int) -> Floats:
    """(n - k + 1,): of k units on one line, by the first of them."""
    return speech.prefix[k:] - speech.prefix[:-k] - speech.spaces[: len(speech.prefix) - k]


def _most_units(speech: Speech, width: float) -> int:
    """The most units that any stretch of text of this width holds, one at least."""
    reach = speech.prefix[:-1] + speech.spaces + width
    held = np.searchsorted(speech.prefix, reach, side="right") - 1 - np.arange(len(speech.spaces))
    return int(np.clip(held.max(), 1, min(_MAX_UNITS, len(speech.units))))


def _price_layouts(speech: Speech, rules: CueRules, most: int) -> list[Floats]:
    """[k - 1][i]: the cheapest layout of k units from i on, on at most `max_lines` lines.

    The same costs as in `linebreak.break_lines`, for all stretches at once.
    """
    per_line = min(most, _most_units(speech, rules.max_chars))
    top = [_price_line(speech, rules, k, last=False) for k in range(1, per_line + 1)]
    last = [_price_line(speech, rules, k, last=True) for k in range(1, per_line + 1)]
    lone = line_cost(_widths(speech, 1), False, True, rules.max_chars)
    begun = top
    best = [
        cost + layout_offset(_widths(speech, k), 1, rules.max_chars)
        for k, cost in enumerate([lone, *last[1:]], start=1)
    ]
    n = len(speech.units)
    best += [np.full(n - k + 1, _IMPOSSIBLE) for k in range(per_line + 1, most + 1)]
    for n_lines in range(2, rules.max_lines + 1):
        for k in range(2, most + 1):
            offset = layout_offset(_widths(speech, k), n_lines, rules.max_chars)
            best[k - 1] = np.minimum(best[k - 1], _stack(begun, last, speech.bonds, k) + offset)
        if n_lines < rules.max_lines:
            begun = [top[0], *(_stack(begun, top, speech.bonds, k) for k in range(2, most + 1))]
    return best


def _price_line(speech: Speech, rules: CueRules, k: int, last: bool) -> Floats:
    widths = _widths(speech, k)
    cost = line_cost(widths, k == 1, last, rules.max_chars)
    return np.where(widths > rules.max_chars, _IMPOSSIBLE, cost) if k > 1 else cost


def _stack(above: list[Floats], below: list[Floats], bonds: Floats, k: int) -> Floats:
    """The cheapest way to part k units between the lines above and one line below."""
    n = len(bonds) - k
    best = np.full(n, _IMPOSSIBLE)
    for m in range(max(1, k - len(below)), min(len(above), k - 1) + 1):
        cost = above[m - 1][:n] + break_cost(bonds[m : m + n]) + below[k - m - 1][m : m + n]
        np.minimum(best, cost, out=best)
    return best


def _price_cuts(speech: Speech) -> Floats:
    """(n + 1,): of ending a cue before each unit."""
    fading = speech.bonds * np.exp(-speech.pauses / _CUT_FADE_MS)
    return _CUT_WEIGHT * np.where(speech.bonds >= NEVER, speech.bonds, fading)


def _price_insides(speech: Speech) -> Floats:
    """(n,): summed up to each unit, the price of having its joint with the one before in a cue."""
    pauses = speech.pauses[:-1]
    price = np.maximum(pauses - _PAUSE_FREE_MS, 0) * (_PAUSE_COST_PER_S / 1000)
    price += _LONG_PAUSE_COST * (pauses > _LONG_PAUSE_MS)
    price += _SENTENCE_INSIDE_COST * speech.sentences[:-1]
    return np.cumsum(price + _SEGMENT_INSIDE_COST * speech.opens_segment[:-1])


def _price_fill(speech: Speech, rules: CueRules, k: int) -> Floats:
    share = _widths(speech, k) / (rules.max_chars * rules.max_lines)
    cost: Floats = _FILL_COST * share * share
    return cost


def _price_sense(speech: Speech, k: int) -> Floats:
    """Of starting or ending away from a sentence's edge when there is one inside, and alone."""
    n = len(speech.units)
    index = np.arange(n + 1)
    since = np.maximum.accumulate(np.where(speech.sentences, index, 0))
    until = np.minimum.accumulate(np.where(speech.sentences, index, n)[::-1])[::-1]
    first, after = index[: n - k + 1], index[k:]
    whole_end, whole_start = speech.sentences[k:], speech.sentences[: n - k + 1]
    tail = ~whole_end & (since[k:] > first)
    head = ~whole_start & (until[1 : n - k + 2] < after)
    price = _TAIL_COST * tail + _TAIL_WORD_COST * (tail & (after - since[k:] == 1))
    price = price + _HEAD_COST * head
    lone = ~(whole_start & whole_end) if k == 1 and n > 1 else np.zeros_like(tail)
    cost: Floats = price + _LONE_UNIT_COST * lone
    return cost


def _price_time(speech: Speech, rules: CueRules, k: int) -> Floats:
    """Of being too short, too long or too fast to read."""
    starts, speech_ends = speech.onsets[:-k], speech.ends[k - 1 :]
    reading = reading_time_ms(_widths(speech, k), np.float64(k), rules)
    limits = speech.onsets[k:] - rules.min_gap_ms
    shown = out_times(starts, speech_ends, limits, reading, speech.shots, rules) - starts
    short = np.maximum(rules.min_duration_ms - shown, 0)
    price = _SHORT_COST * (short > 0) + _TOO_SHORT_COST * short / max(rules.min_duration_ms, 1)
    hurry = np.clip(reading / np.maximum(shown, 1), 1, _HURRY_MOST)
    price += _HURRY_COST * (shown < reading)
    price += _HURRY_COST_PER_S / 1000 * np.maximum(reading - shown, 0) * hurry
    too_long = np.minimum(speech_ends, limits) - starts > rules.max_duration_ms
    return np.where(too_long, _IMPOSSIBLE, price) if k > 1 else price
