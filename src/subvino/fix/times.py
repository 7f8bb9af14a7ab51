"""Out-times as the rules want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from subvino.cues import CueRules
from subvino.linebreak import text_width
from subvino.subtitles import Cue

_SHORTEST_MS = 80
"""What a cue keeps of its time when another follows at once: two frames."""


def retime(cues: Sequence[Cue], rules: CueRules, following_ms: int | None = None) -> list[Cue]:
    """The cues with out-times as the rules want them; in-times stay.

    Of each cue alone and of the next one's in-time, so that doing it again changes nothing.
    following_ms: in-time of what comes after the last.
    """
    limits = [*(cue.start_ms for cue in cues[1:]), following_ms]
    return [
        replace(cue, end_ms=_end_ms(cue, limit, rules))
        for cue, limit in zip(cues, limits, strict=False)
    ]


def _end_ms(cue: Cue, following_ms: int | None, rules: CueRules) -> int:
    """Late enough for reading, early enough for the gap, and not to flicker.

    What is longer than the longest stays: whether its text is cut or its time is decided later.
    """
    end_ms = max(cue.end_ms, cue.start_ms + _needed_ms(cue, rules))
    if following_ms is None:
        return end_ms
    latest = max(following_ms - rules.min_gap_ms, min(cue.start_ms + _SHORTEST_MS, following_ms))
    latest = max(latest, cue.start_ms + 1)
    end_ms = min(end_ms, latest)
    flickers = following_ms - end_ms < rules.chain_gap_ms
    return latest if flickers and latest - cue.start_ms <= rules.max_duration_ms else end_ms


def _needed_ms(cue: Cue, rules: CueRules) -> int:
    """The shortest time in which it can be read, if that is not longer than the longest."""
    chars = sum(text_width(line, rules.narrow_width) for line in cue.lines)
    needed = max(rules.min_duration_ms, ceil(chars * 1000 / rules.max_cps))
    if rules.max_wpm is not None:
        needed = max(needed, ceil(len(cue.text.split()) * 60_000 / rules.max_wpm))
    return min(needed, rules.max_duration_ms)
