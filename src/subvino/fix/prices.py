"""What is wrong with cues, as one number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from subvino.check import Finding
from subvino.subtitles import Cue

PRICES = {
    "max_lines": 3.0,
    "max_chars": 1.0,
    "max_cps": 0.3,
    "max_wpm": 0.3,
    "min_duration_ms": 1.0,
    "max_duration_ms": 1.0,
    "min_gap_ms": 1.0,
    "chain_gap_ms": 0.5,
    "orphan_line": 0.6,
    "orphan_cue": 0.8,
}
"""What a broken rule counts, to which comes by how much it is broken. Others can't be mended by
another shape."""


def alone(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings of one cue, as of the first in a file of its own."""
    return (replace(finding, cue=1) for finding in findings)


def price_of(finding: Finding, cues: Sequence[Cue]) -> float:
    """What a finding counts; what is too fast counts by the seconds that reading lacks."""
    price = PRICES.get(finding.rule, 0.0)
    if not price or not finding.found or not finding.limit or finding.cue is None:
        return price
    if finding.rule in ("max_cps", "max_wpm"):
        shown = cues[finding.cue - 1].duration_ms / 1000
        return price + (finding.found / finding.limit - 1) * shown
    if finding.rule == "max_chars":
        return price + 0.1 * (finding.found - finding.limit)
    if finding.rule == "max_lines":
        return price * (finding.found - finding.limit)
    return price + 2 * abs(finding.found / finding.limit - 1)
