"""How long cues are shown: out-times, gaps, chaining, shot changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from subvino.cues.rules import CueRules

Floats = npt.NDArray[np.float64]


_COMFORTABLE_MS = 1000
"""Shown at least this long where nothing follows."""
SHORTEST_MS = 80
"""Shown at least this long whatever the word times say: two frames at 24 a second."""

# Netflix, Timing: an in-time within half a second after a shot change, or up to 7 frames before
# it, moves onto it; an out-time within half a second before one moves to the least gap before it.
SHOT_REACH_MS = 500.0


def out_times(
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
    ends = np.where(shot - ends < SHOT_REACH_MS, before, ends)
    return np.minimum(np.minimum(ends, limits), starts + rules.max_duration_ms)


def reading_time_ms(chars: Floats, words: Floats | np.float64, rules: CueRules) -> Floats:
    """How long reading takes at the greatest speed allowed."""
    by_chars = np.ceil(chars * 1000 / rules.max_cps)
    if rules.max_wpm is None:
        return by_chars
    return np.maximum(by_chars, np.ceil(words * 60_000 / rules.max_wpm))
