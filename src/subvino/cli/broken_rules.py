"""Which rules of their profile the cues just made break, in a line and in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from subvino.cues import Violation

KINDS = {
    "max_cps": "reading speed",
    "max_wpm": "reading speed",
    "min_duration_ms": "too short",
    "max_duration_ms": "too long",
    "max_chars": "line length",
    "max_lines": "lines",
    "min_gap_ms": "gap",
    "chain_gap_ms": "gap",
}
"""What is wrong with a cue, in a word or two, by the rule it breaks; the gravest first."""


def count_rules(found: Sequence[Violation]) -> dict[str, int]:
    """Cues by the rule they break, in the order of KINDS; rules that none breaks are left out."""
    counts = Counter(one.rule for one in found)
    return {rule: counts[rule] for rule in KINDS if counts[rule]}


def describe_broken(found: Sequence[Violation], n_cues: int, profile: str) -> str:
    """How many cues break rules, and which kinds of them; found: at least one.

    >>> found = [Violation(3, "max_cps", 24.1, 20), Violation(3, "max_wpm", 200, 180)]
    >>> describe_broken(found, 41, "bbc")
    '1 of 41 cues breaks a rule of profile bbc (reading speed 1)'
    """
    n_broken = len({one.cue for one in found})
    by_kind = Counter(kind for _, kind in {(one.cue, KINDS[one.rule]) for one in found})
    kinds = ", ".join(
        f"{kind} {by_kind[kind]}" for kind in dict.fromkeys(KINDS.values()) if by_kind[kind]
    )
    verb = "breaks" if n_broken == 1 else "break"
    cues = "cue" if n_cues == 1 else "cues"
    return f"{n_broken} of {n_cues} {cues} {verb} a rule of profile {profile} ({kinds})"
