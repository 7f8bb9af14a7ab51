"""The rules that cues break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from subvino.cues.rules import CueRules, count_chars
from subvino.linebreak import text_width
from subvino.subtitles import Cue, Subtitles


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


def _text_breaches(cue: Cue, rules: CueRules) -> _Breaches:
    widest = max(text_width(line, rules.narrow_width) for line in cue.lines)
    if widest > rules.max_chars:
        yield "max_chars", widest, rules.max_chars
    if len(cue.lines) > rules.max_lines:
        yield "max_lines", len(cue.lines), rules.max_lines


def _speed_breaches(cue: Cue, rules: CueRules) -> _Breaches:
    cps = count_chars(cue.lines, rules) * 1000 / cue.duration_ms
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
