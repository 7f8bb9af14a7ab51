"""What was said and its translation → cues that show both, the original above.

Floor 2 of the road; pure. The original's words decide on the cues and their times. The words of
the translation go to those cues in their order: a dynamic programme chooses for every cut between
cues the place in the translation that is near in time and good to break at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Optional

from subvino.cues import CueRules, build_cues
from subvino.linebreak import LineRules, bond, break_lines, measure, split_words
from subvino.subtitles import Cue, Subtitles
from subvino.transcript import Transcript

_REACH = 12
"""Words to each side of the nearest in time at which a cut is looked for."""
_BOND_COST = 1.0
"""Of a cut inside a bond of 1, in seconds by which another place may be off."""
_EMPTY_COST = 1.0
"""Of a cue without any translation."""
_OVERFULL_COST = 4.0
"""Of a translation that is twice as wide as its lines."""


@dataclass(frozen=True, slots=True)
class _Unit:
    text: str
    start_ms: float


_Chain = tuple[int, Optional["_Chain"]]
"""The last cut, and those before it: ten hours of speech have too many to copy at each step."""


def pair_cues(
    spoken: Transcript,
    translated: Transcript,
    rules: CueRules,
    translated_rules: CueRules | None = None,
    shot_changes: Sequence[float] = (),
) -> Subtitles:
    """Cues of the original, each with its share of the translation below.

    Each language gets half of the rules' lines, one at least. No word of either is lost.

    rules, translated_rules: for the language of each; one set where None.
    """
    below = _half(translated_rules or rules)
    cues = build_cues(spoken, _half(rules), shot_changes=shot_changes).cues
    language = translated.text_language
    if not cues:
        return build_cues(translated, rules, shot_changes=shot_changes)
    units = _units(translated)
    cuts = _choose_cuts(cues, units, below.line_rules, language)
    pairs = zip(cues, cuts, cuts[1:], strict=False)
    return Subtitles(
        tuple(_with_below(cue, units[a:b], below.line_rules, language) for cue, a, b in pairs),
        spoken.text_language,
    )


def _half(rules: CueRules) -> CueRules:
    return replace(rules, max_lines=max(rules.max_lines // 2, 1))


def _units(transcript: Transcript) -> list[_Unit]:
    found: list[_Unit] = []
    for segment in transcript.spoken:
        texts = split_words(segment.text)
        times = [word.start for word in segment.words or () for _ in split_words(word.text)]
        if len(times) != len(texts):
            step = (segment.end - segment.start) / max(len(texts), 1)
            times = [segment.start + at * step for at in range(len(texts))]
        for at, (text, time) in enumerate(zip(texts, times, strict=True)):
            spaced = f" {text}" if at == 0 and found else text
            found.append(_Unit(spaced, 1000 * time))
    return found


def _choose_cuts(
    cues: Sequence[Cue], units: Sequence[_Unit], rules: LineRules, language: str
) -> list[int]:
    """Where in the units each cue's share begins, and their number: one more than cues."""
    prefix, _ = measure([unit.text for unit in units], rules.narrow_width)
    room = rules.max_chars * rules.max_lines
    best: dict[int, tuple[float, _Chain]] = {0: (0.0, (0, None))}
    at = 0
    for cue in [*cues[1:], None]:
        time = float("inf") if cue is None else cue.start_ms
        while at < len(units) and units[at].start_ms < time:
            at += 1
        places = [len(units)] if cue is None else range(max(at - _REACH, 0), at + _REACH + 1)
        longer: dict[int, tuple[float, _Chain]] = {}
        for place in places:
            if place > len(units):
                break
            own = 0.0 if cue is None else _cut_cost(units, place, time, language)
            for begin, (cost, chain) in best.items():
                if begin > place:
                    continue
                over = (prefix[place] - prefix[begin]) / room - 1
                total = cost + own + _OVERFULL_COST * max(over, 0.0)
                total += _EMPTY_COST if begin == place else 0.0
                if place not in longer or total < longer[place][0]:
                    longer[place] = total, (place, chain)
        best = longer
    return _unroll(best[len(units)][1])


def _unroll(chain: _Chain) -> list[int]:
    cuts = [chain[0]]
    while chain[1] is not None:
        chain = chain[1]
        cuts.append(chain[0])
    return cuts[::-1]


def _cut_cost(units: Sequence[_Unit], place: int, time_ms: float, language: str) -> float:
    if place == 0 or place == len(units):
        edge = units[min(place, len(units) - 1)].start_ms if units else time_ms
        return abs(edge - time_ms) / 1000 if units else 0.0
    tied = bond(units[place - 1].text, units[place].text, language)
    return abs(units[place].start_ms - time_ms) / 1000 + _BOND_COST * tied


def _with_below(cue: Cue, units: Sequence[_Unit], rules: LineRules, language: str) -> Cue:
    texts = [unit.text for unit in units]
    if not texts:
        return replace(cue, words=())
    lines = break_lines([texts[0].lstrip(), *texts[1:]], rules, language)
    return replace(cue, lines=(*cue.lines, *lines), words=())
