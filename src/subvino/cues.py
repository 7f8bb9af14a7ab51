"""Transcript to cues: what is shown together, on which lines, from when until when.

Floor 1 of the road; pure. One dynamic programme over the places between words chooses all cues
of a transcript at once. A candidate cue is priced by its layout on lines, the pauses, sentences
and bonds it respects or breaks, and the time it gets: its in-time and out-time follow from its
own words and the next word alone, so the price is exact and the programme finds the best cut.

    units    words with times, one kind for every script  (`_measure_speech`)
    prices   of every candidate cue, arrays over its first unit  (`_price_cues`)
    cut      the cheapest chain of candidates  (`_cheapest_chain`)
    times    out-times, gaps, chaining, shot changes  (`_out_times`)

Hard: no word lost or moved, no overlap, the least gap, the longest duration, characters a line
and lines a cue (a single unit wider than a line stands alone). The rest is a price; what speech
makes impossible is listed by `violations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from subvino.errors import OptionError
from subvino.linebreak import (
    NEVER,
    LineRules,
    bond,
    bonds,
    break_cost,
    break_lines,
    ends_sentence,
    join_lines,
    layout_offset,
    line_cost,
    measure,
    primary_language,
    split_words,
    text_width,
)
from subvino.subtitles import Cue, CueWord, Subtitles
from subvino.transcript import Segment, Transcript, Word

Floats = npt.NDArray[np.float64]


# --- rules ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CueRules:
    """What a cue may be; the defaults are the profile `default`.

    max_chars: characters a line; wide ones count 1, others `narrow_width`.
    max_lines: lines a cue.
    max_cps: characters a second, spaces counted, line breaks not.
    max_wpm: words a minute; None where the guide counts characters only.
    min_duration_ms, max_duration_ms: how long a cue is shown.
    min_gap_frames: frames of `frame_rate` (a second) without a cue between two cues.
    chain_gap_ms: a gap shorter than this is closed down to the least one; 0 leaves gaps alone.
    max_linger_ms: how long after the speech a cue may stay so that it can be read.
    """

    max_chars: float = 42
    max_lines: int = 2
    max_cps: float = 20
    max_wpm: float | None = None
    min_duration_ms: int = 833
    max_duration_ms: int = 7000
    min_gap_frames: int = 2
    frame_rate: float = 24.0
    chain_gap_ms: int = 500
    max_linger_ms: int = 1000
    narrow_width: float = 1.0

    def __post_init__(self) -> None:
        """Raises OptionError where a rule makes no sense."""
        _check_range("max_chars", self.max_chars, 1, 1000)
        _check_range("max_lines", self.max_lines, 1, 10)
        _check_range("max_cps", self.max_cps, 0.1, 1000)
        _check_range("max_wpm", self.max_wpm or 1, 1, 10000)
        _check_range("max_duration_ms", self.max_duration_ms, 100, 3_600_000)
        _check_range("min_duration_ms", self.min_duration_ms, 0, self.max_duration_ms)
        _check_range("min_gap_frames", self.min_gap_frames, 0, 1000)
        _check_range("frame_rate", self.frame_rate, 1, 1000)
        _check_range("chain_gap_ms", self.chain_gap_ms, 0, 60_000)
        _check_range("max_linger_ms", self.max_linger_ms, 0, 60_000)
        _check_range("narrow_width", self.narrow_width, 0.1, 10)

    @property
    def min_gap_ms(self) -> int:
        """`min_gap_frames` in milliseconds."""
        return round(self.min_gap_frames * 1000 / self.frame_rate)

    @property
    def line_rules(self) -> LineRules:
        """The part that decides line breaks."""
        return LineRules(self.max_chars, self.max_lines, self.narrow_width)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise OptionError(f"{name} is {value}; it must lie between {low} and {high}")


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules by name: `rules` for most languages, `by_language` where a language has its own.

    source: where the numbers come from. A profile follows a guide as it was read; guides change.
    """

    rules: CueRules
    source: str
    by_language: Mapping[str, CueRules] = field(default_factory=dict)


_NETFLIX_SOURCE = (
    "Netflix Timed Text Style Guide, General Requirements and language guides, as Subtitle Edit "
    "checks them; reading speeds of adult programmes, SDH (subtitles in the language spoken)"
)
_NETFLIX = CueRules(max_linger_ms=500)


def _netflix_languages(rules: CueRules) -> Mapping[str, CueRules]:
    return MappingProxyType(
        {
            "ar": replace(rules, max_cps=23),
            "hi": replace(rules, max_cps=25),
            "ja": replace(rules, max_chars=13, max_cps=7, min_duration_ms=500, narrow_width=0.5),
            "ko": replace(rules, max_chars=16, max_cps=14, narrow_width=0.5),
            "th": replace(rules, max_chars=35),
            "yue": replace(rules, max_chars=16, max_cps=11),
            "zh": replace(rules, max_chars=16, max_cps=11),
        }
    )


# BBC: 160-180 words a minute, no gap or at least 1 s, out-time at most 1.5 s late; 0.3 s a word
# is its least duration, which a word on its own would flash by with, so half a second here. It
# names no longest duration; 10 s is Arte's.
_BBC = CueRules(
    max_chars=37,
    max_cps=20,
    max_wpm=180,
    min_duration_ms=500,
    max_duration_ms=10_000,
    min_gap_frames=0,
    chain_gap_ms=1000,
    max_linger_ms=1500,
)
_BBC_SOURCE = "BBC Subtitle Guidelines, www.bbc.co.uk/accessibility/forproducts/guides/subtitles"
_SOCIAL = CueRules(
    max_chars=24,
    max_cps=25,
    min_duration_ms=700,
    max_duration_ms=5000,
    min_gap_frames=0,
    chain_gap_ms=500,
)
_ARTE = CueRules(max_chars=40, min_duration_ms=1000, max_duration_ms=10_000, min_gap_frames=5)


def _east_asian(rules: CueRules, max_chars: float) -> Mapping[str, CueRules]:
    """Guides that speak of Latin letters only: wide characters at the speeds of Netflix."""
    netflix = _netflix_languages(rules)
    narrow = {
        code: replace(netflix[code], max_chars=max_chars, max_wpm=None, narrow_width=0.5)
        for code in ("ja", "ko", "yue", "zh")
    }
    return MappingProxyType({**narrow, "th": replace(rules, max_wpm=None)})


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "default": Profile(
            CueRules(),
            _NETFLIX_SOURCE + "; out-times may linger longer",
            _netflix_languages(CueRules()),
        ),
        "netflix": Profile(_NETFLIX, _NETFLIX_SOURCE, _netflix_languages(_NETFLIX)),
        "bbc": Profile(_BBC, _BBC_SOURCE, _east_asian(_BBC, 18)),
        "bbc-vertical": Profile(
            replace(_BBC, max_chars=25, max_lines=3),
            _BBC_SOURCE + ": 90 % of the width of 9:16 video, three lines",
            _east_asian(replace(_BBC, max_lines=3), 12),
        ),
        "arte": Profile(_ARTE, "Subtitle Edit, profile Arte (gap 200 ms)", _east_asian(_ARTE, 18)),
        "social-vertical": Profile(
            _SOCIAL, "Subtitle Edit, profile TikTok (9:16)", _east_asian(_SOCIAL, 11)
        ),
    }
)
"""Rules by the name of a profile.

To add one: a row with its source; tests/test_cues.py runs every row over every script.
"""


def rules_for(profile: str = "default", language: str = "") -> CueRules:
    """The rules of a profile for a language; raises OptionError for an unknown name.

    >>> rules_for("netflix", "ko").max_chars, rules_for("bbc", "en").max_wpm
    (16, 180)
    """
    if profile not in PROFILES:
        raise OptionError(f"no profile {profile!r}; use one of: {', '.join(PROFILES)}")
    found = PROFILES[profile]
    return found.by_language.get(primary_language(language), found.rules)


# --- the builder ----------------------------------------------------------------------------

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
_HURRY_COST_PER_S = 2.0
_HURRY_MOST = 3.0
"""A second that reading would need and the cue has not, times how much too fast it is."""
_IMPOSSIBLE = float("inf")

_MAX_UNITS = 120
"""Units in one cue at most; only texts of one-letter words or huge lines come near."""
_COMFORTABLE_MS = 1000
"""Shown at least this long where nothing follows."""
_SHORTEST_MS = 80
"""Shown at least this long whatever the word times say: two frames at 24 a second."""

# Netflix, Timing: an in-time within half a second after a shot change, or up to 7 frames before
# it, moves onto it; an out-time within half a second before one moves to the least gap before it.
_SHOT_REACH_MS = 500.0
_SHOT_LATE_FRAMES = 7


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
    speech = _measure_speech(transcript, primary_language(language), rules, shot_changes)
    if not speech.units:
        return Subtitles((), language)
    chain = _cheapest_chain(_price_cues(speech, rules))
    return Subtitles(tuple(_time_cues(speech, chain, rules)), language)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word or a piece of one; `text` begins with a space where one stands before it."""

    text: str
    start_ms: int
    end_ms: int
    language: str
    opens_segment: bool


@dataclass(frozen=True, slots=True)
class _Speech:
    """The n units and what the programme asks of them; milliseconds.

    starts, ends: (n,) in order; a unit shown first would come in at `onsets` (n + 1,), whose last
        entry is where nothing may be shown any more.
    prefix, spaces: as `linebreak.measure` has them, (n + 1,) and (n,).
    bonds: (n + 1,) of unit i with the one before; 0 at both ends.
    sentences: (n + 1,) whether a sentence begins at unit i; True at both ends.
    pauses: (n + 1,) silence before unit i; 0 at both ends.
    shots: shot changes in order, then infinity.
    """

    units: tuple[_Unit, ...]
    language: str
    starts: Floats
    ends: Floats
    onsets: Floats
    prefix: Floats
    spaces: Floats
    bonds: Floats
    sentences: npt.NDArray[np.bool_]
    pauses: Floats
    shots: Floats

    @property
    def opens_segment(self) -> Floats:
        """(n + 1,) 1 where a segment begins."""
        return np.array([unit.opens_segment for unit in self.units] + [True], dtype=np.float64)


def _measure_speech(
    transcript: Transcript, language: str, rules: CueRules, shot_changes: Sequence[float]
) -> _Speech:
    units = _units_of(transcript.spoken, language, transcript.task == "translate")
    texts = [unit.text for unit in units]
    starts = np.maximum.accumulate(np.array([unit.start_ms for unit in units], dtype=np.float64))
    ends = np.maximum(np.array([unit.end_ms for unit in units], dtype=np.float64), starts)
    prefix, spaces = measure(texts, rules.narrow_width)
    shots = np.array([*sorted(shot * 1000 for shot in shot_changes), np.inf], dtype=np.float64)
    inner = _bonds_of(units)
    begins = [ends_sentence(a.text, b.text, b.language) for a, b in pairwise(units)]
    return _Speech(
        units=units,
        language=language,
        starts=starts,
        ends=ends,
        onsets=_onsets(starts, ends, shots, rules, transcript.duration * 1000),
        prefix=np.array(prefix),
        spaces=np.array(spaces),
        bonds=np.array([0.0, *inner, 0.0]),
        sentences=np.array([True, *begins, True]),
        pauses=np.concatenate(([0.0], np.maximum(starts[1:] - ends[:-1], 0.0), [0.0])),
        shots=shots,
    )


def _bonds_of(units: Sequence[_Unit]) -> list[float]:
    """The bond of each unit with the next, by the rules of its language."""
    found: list[float] = []
    before: str | None = None
    for language, group in groupby(units, key=lambda unit: unit.language):
        texts = [unit.text for unit in group]
        if before is not None:
            found.append(bond(before, texts[0], language))
        found += bonds(texts, language)
        before = texts[-1]
    return found


def _onsets(
    starts: Floats, ends: Floats, shots: Floats, rules: CueRules, duration_ms: float
) -> Floats:
    """When a cue that begins with each unit comes in, and as the last the end of it all."""
    if not len(starts):
        return np.array([np.inf])
    late = _SHOT_LATE_FRAMES * 1000 / rules.frame_rate
    shot = shots[np.maximum(np.searchsorted(shots, starts + late, side="right") - 1, 0)]
    free_from = np.concatenate(([0.0], ends[:-1]))
    near = (shot >= starts - _SHOT_REACH_MS) & (shot <= starts + late) & (shot >= free_from)
    onsets = np.maximum.accumulate(np.where(near & (shot < ends), shot, starts))
    over = max(duration_ms, ends.max()) if duration_ms > 0 else np.inf
    return np.concatenate((onsets, [over + rules.min_gap_ms]))


# --- units ----------------------------------------------------------------------------------


def _units_of(segments: Sequence[Segment], language: str, translated: bool) -> tuple[_Unit, ...]:
    units: list[_Unit] = []
    for segment in segments:
        spoken = None if translated else segment.language
        code = primary_language(spoken) if spoken else language
        opens = True
        for word in _spaced_words(segment):
            for text, start_ms, end_ms in _pieces(word):
                if opens and units:
                    text = join_lines((units[-1].text, text))[len(units[-1].text.strip()) :]
                units.append(_Unit(text if units else text.strip(), start_ms, end_ms, code, opens))
                opens = False
    return tuple(units)


def _spaced_words(segment: Segment) -> Sequence[Word]:
    """The segment's words; its text as one long word where it has none.

    Some engines give words without the space before them: where the text has spaces and the
    words none, each gets one.
    """
    words = segment.words or (Word(segment.text, segment.start, segment.end, 1.0),)
    bare = not any(word.text[:1].isspace() for word in words[1:])
    if len(words) > 1 and bare and len(segment.text.split()) >= len(words):
        return [replace(word, text=" " + word.text) for word in words]
    return words


def _pieces(word: Word) -> Iterator[tuple[str, int, int]]:
    """A word's units with times in milliseconds: its time is spread over its characters."""
    texts = split_words(word.text)
    start_ms, end_ms = max(word.start, 0.0) * 1000, max(word.end, 0.0) * 1000
    per_char = (end_ms - start_ms) / max(sum(map(len, texts)), 1)
    done = 0
    for index, text in enumerate(texts):
        spaced = " " + text if index == 0 and word.text[:1].isspace() else text
        begin, done = done, done + len(text)
        yield spaced, round(start_ms + begin * per_char), round(start_ms + done * per_char)


# --- prices ---------------------------------------------------------------------------------


def _price_cues(speech: _Speech, rules: CueRules) -> Floats:
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


def _widths(speech: _Speech, k: int) -> Floats:
    """(n - k + 1,): of k units on one line, by the first of them."""
    return speech.prefix[k:] - speech.prefix[:-k] - speech.spaces[: len(speech.prefix) - k]


def _most_units(speech: _Speech, width: float) -> int:
    """The most units that any stretch of text of this width holds, one at least."""
    reach = speech.prefix[:-1] + speech.spaces + width
    held = np.searchsorted(speech.prefix, reach, side="right") - 1 - np.arange(len(speech.spaces))
    return int(np.clip(held.max(), 1, min(_MAX_UNITS, len(speech.units))))


def _price_layouts(speech: _Speech, rules: CueRules, most: int) -> list[Floats]:
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


def _price_line(speech: _Speech, rules: CueRules, k: int, last: bool) -> Floats:
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


def _price_cuts(speech: _Speech) -> Floats:
    """(n + 1,): of ending a cue before each unit."""
    fading = speech.bonds * np.exp(-speech.pauses / _CUT_FADE_MS)
    return _CUT_WEIGHT * np.where(speech.bonds >= NEVER, speech.bonds, fading)


def _price_insides(speech: _Speech) -> Floats:
    """(n,): summed up to each unit, the price of having its joint with the one before in a cue."""
    pauses = speech.pauses[:-1]
    price = np.maximum(pauses - _PAUSE_FREE_MS, 0) * (_PAUSE_COST_PER_S / 1000)
    price += _LONG_PAUSE_COST * (pauses > _LONG_PAUSE_MS)
    price += _SENTENCE_INSIDE_COST * speech.sentences[:-1]
    return np.cumsum(price + _SEGMENT_INSIDE_COST * speech.opens_segment[:-1])


def _price_fill(speech: _Speech, rules: CueRules, k: int) -> Floats:
    share = _widths(speech, k) / (rules.max_chars * rules.max_lines)
    cost: Floats = _FILL_COST * share * share
    return cost


def _price_sense(speech: _Speech, k: int) -> Floats:
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


def _price_time(speech: _Speech, rules: CueRules, k: int) -> Floats:
    """Of being too short, too long or too fast to read."""
    starts, speech_ends = speech.onsets[:-k], speech.ends[k - 1 :]
    reading = _reading_ms(_widths(speech, k), np.float64(k), rules)
    limits = speech.onsets[k:] - rules.min_gap_ms
    shown = _out_times(starts, speech_ends, limits, reading, speech.shots, rules) - starts
    short = np.maximum(rules.min_duration_ms - shown, 0)
    price = _SHORT_COST * (short > 0) + _TOO_SHORT_COST * short / max(rules.min_duration_ms, 1)
    hurry = np.clip(reading / np.maximum(shown, 1), 1, _HURRY_MOST)
    price += _HURRY_COST_PER_S / 1000 * np.maximum(reading - shown, 0) * hurry
    too_long = np.minimum(speech_ends, limits) - starts > rules.max_duration_ms
    return np.where(too_long, _IMPOSSIBLE, price) if k > 1 else price


def _reading_ms(chars: Floats, words: Floats | np.float64, rules: CueRules) -> Floats:
    """How long reading takes at the greatest speed allowed."""
    by_chars = np.ceil(chars * 1000 / rules.max_cps)
    if rules.max_wpm is None:
        return by_chars
    return np.maximum(by_chars, np.ceil(words * 60_000 / rules.max_wpm))


# --- the cheapest chain ---------------------------------------------------------------------


def _cheapest_chain(prices: Floats) -> tuple[int, ...]:
    """Where the cheapest chain of cues begins each of them, and n: 0 = b0 < b1 < ... = n.

    prices: [j, k - 1] of the cue of the k units that end before unit j.
    """
    n, most = prices.shape[0] - 1, prices.shape[1]
    # cost[-1 - j] is the cheapest chain up to unit j: backwards, so that each look back is a slice.
    cost = np.full(n + 1 + most, _IMPOSSIBLE)
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


# --- times ----------------------------------------------------------------------------------


def _out_times(
    starts: Floats,
    speech_ends: Floats,
    limits: Floats,
    reading_ms: Floats,
    shots: Floats,
    rules: CueRules,
) -> Floats:
    """When cues go out: after the speech, then as late as reading needs and the rules allow.

    limits: the latest out-time that the next cue leaves.
    """
    wanted = np.minimum(
        starts + np.maximum(reading_ms, _COMFORTABLE_MS), speech_ends + rules.max_linger_ms
    )
    ends = np.maximum(np.maximum(speech_ends, starts + rules.min_duration_ms), wanted)
    chained = (limits + rules.min_gap_ms - ends < rules.chain_gap_ms) & np.isfinite(limits)
    ends = np.where(chained, limits, ends)
    # Speech that runs up to a cut, or a frame over it, ends with the shot.
    shot = shots[np.searchsorted(shots, speech_ends - rules.min_gap_ms, side="right")]
    before = np.maximum(shot - rules.min_gap_ms, starts + 1)
    ends = np.where(shot - ends < _SHOT_REACH_MS, before, ends)
    return np.minimum(np.minimum(ends, limits), starts + rules.max_duration_ms)


def _time_cues(speech: _Speech, chain: Sequence[int], rules: CueRules) -> Iterator[Cue]:
    lines = [_lines_of(speech, a, b, rules) for a, b in pairwise(chain)]
    first, after = np.array(chain[:-1]), np.array(chain[1:])
    chars = np.array([_count_chars(cue, rules) for cue in lines])
    reading = _reading_ms(chars, np.float64(0) + after - first, rules)
    starts, limits = speech.onsets[first], speech.onsets[after] - rules.min_gap_ms
    outs = _out_times(starts, speech.ends[after - 1], limits, reading, speech.shots, rules)
    free_from = 0
    for text, a, b, start, out in zip(lines, chain, chain[1:], starts, outs, strict=False):
        # Only words at the same time, or nearly so, make a cue wait for the one before it.
        start_ms = max(round(start), free_from)
        end_ms = max(round(out), start_ms + _SHORTEST_MS)
        yield Cue(start_ms, end_ms, text, _cue_words(speech.units[a:b], start_ms, end_ms))
        free_from = end_ms + rules.min_gap_ms


def _lines_of(speech: _Speech, start: int, end: int, rules: CueRules) -> tuple[str, ...]:
    texts = [unit.text for unit in speech.units[start:end]]
    return break_lines([texts[0].lstrip(), *texts[1:]], rules.line_rules, speech.language)


def _cue_words(units: Sequence[_Unit], start_ms: int, end_ms: int) -> tuple[CueWord, ...]:
    return tuple(
        CueWord(
            unit.text if index else unit.text.lstrip(),
            min(max(unit.start_ms, start_ms), end_ms),
            min(max(unit.end_ms, start_ms), end_ms),
        )
        for index, unit in enumerate(units)
    )


# --- violations -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a cue breaks.

    cue: its index. rule: the field of CueRules, or "min_gap_ms". found, limit: in the rule's unit.
    """

    cue: int
    rule: str
    found: float
    limit: float


def violations(subtitles: Subtitles, rules: CueRules) -> tuple[Violation, ...]:
    """Every rule that any cue breaks, in the order of the cues."""
    return tuple(
        Violation(index, rule, found, limit)
        for index, cue in enumerate(subtitles.cues)
        for rule, found, limit in (
            *_text_breaches(cue, rules),
            *_speed_breaches(cue, rules),
            *_gap_breaches(subtitles.cues, index, rules),
        )
    )


_Breaches = Iterator[tuple[str, float, float]]


def _count_chars(lines: Sequence[str], rules: CueRules) -> float:
    return sum(text_width(line, rules.narrow_width) for line in lines)


def _text_breaches(cue: Cue, rules: CueRules) -> _Breaches:
    widest = max(text_width(line, rules.narrow_width) for line in cue.lines)
    if widest > rules.max_chars:
        yield "max_chars", widest, rules.max_chars
    if len(cue.lines) > rules.max_lines:
        yield "max_lines", len(cue.lines), rules.max_lines


def _speed_breaches(cue: Cue, rules: CueRules) -> _Breaches:
    cps = _count_chars(cue.lines, rules) * 1000 / cue.duration_ms
    if cps > rules.max_cps:
        yield "max_cps", cps, rules.max_cps
    wpm = len(cue.text.split()) * 60_000 / cue.duration_ms
    if rules.max_wpm is not None and wpm > rules.max_wpm:
        yield "max_wpm", wpm, rules.max_wpm
    if cue.duration_ms < rules.min_duration_ms:
        yield "min_duration_ms", cue.duration_ms, rules.min_duration_ms
    if cue.duration_ms > rules.max_duration_ms:
        yield "max_duration_ms", cue.duration_ms, rules.max_duration_ms


def _gap_breaches(cues: Sequence[Cue], index: int, rules: CueRules) -> _Breaches:
    """Of the gap after the cue."""
    if index + 1 == len(cues):
        return
    gap = cues[index + 1].start_ms - cues[index].end_ms
    if gap < rules.min_gap_ms:
        yield "min_gap_ms", gap, rules.min_gap_ms
    elif rules.min_gap_ms < gap < rules.chain_gap_ms:
        yield "chain_gap_ms", gap, rules.chain_gap_ms
