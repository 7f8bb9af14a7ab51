"""Transcript to cues: what is shown together, on which lines, from when until when.

Floor 1 of the road; pure. One dynamic programme over the places between words chooses all cues
of a transcript at once. A candidate cue is priced by its layout on lines, the pauses, sentences
and bonds it respects or breaks, and the time it gets: its in-time and out-time follow from its
own words and the next word alone, so the price is exact and the programme finds the best cut.

    rules        what a cue may be
    profiles     rules by name and language
    speech       words with times, as units of one kind for every script
    prices       of every candidate cue, arrays over its first unit
    times        out-times, gaps, chaining, shot changes
    build        the cheapest chain of candidates, on lines, with times
    violations   the rules that cues break

Hard: no word lost or moved, no overlap, the least gap, the longest duration, characters a line
and lines a cue (a single unit wider than a line stands alone). The rest is a price; what speech
makes impossible is listed by `violations`.
"""

from __future__ import annotations

from subvino.cues.build import build_cues
from subvino.cues.profiles import PROFILES, Profile, rules_for
from subvino.cues.rules import CueRules
from subvino.cues.violations import Violation, violations

__all__ = [
    "PROFILES",
    "CueRules",
    "Profile",
    "Violation",
    "build_cues",
    "rules_for",
    "violations",
]
