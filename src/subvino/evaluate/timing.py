"""Errors of times: when words and phrases were said to begin and end, and when they do.

Only what was heard right has an error of time: reference and transcript are aligned by their
normalised words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subvino.evaluate.manifest import TimedText
from subvino.evaluate.normalize import split_units
from subvino.evaluate.wer import align

TOLERANCES_MS = (50, 100, 200)
"""Milliseconds for which the share of times within them is told."""


@dataclass(frozen=True, slots=True)
class TimingErrors:
    """Seconds by which times are too late (positive) or too early.

    n_reference: how many could have been matched.
    """

    onsets: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    n_reference: int = 0

    def __add__(self, other: TimingErrors) -> TimingErrors:
        return TimingErrors(
            self.onsets + other.onsets,
            self.offsets + other.offsets,
            self.n_reference + other.n_reference,
        )


@dataclass(frozen=True, slots=True)
class TimingSummary:
    """How far times are off, all in milliseconds.

    matched: share of the reference that was matched.
    bias_ms: median with its sign; late is positive.
    within: share of the matched within each of `TOLERANCES_MS`.
    """

    n: int
    matched: float
    median_ms: float
    p90_ms: float
    bias_ms: float
    within: tuple[float, ...]


def compare_times(
    reference: Sequence[TimedText],
    heard: Sequence[TimedText],
    language: str | None,
    *,
    strip_accents: bool = False,
) -> TimingErrors:
    """Errors of all onsets and offsets that both sides know.

    The two may be cut differently: phrases are compared with words by the first and last word of
    each phrase, with other phrases where both begin, or end, with the same word.
    """
    ours = _timed_units(reference, language, strip_accents)
    theirs = _timed_units(heard, language, strip_accents)
    edits = align([unit.text for unit in ours], [unit.text for unit in theirs])
    pairs = [(ours[e.reference], theirs[e.heard]) for e in edits if e.kind == "equal"]
    return TimingErrors(
        _differences((a.start, b.start) for a, b in pairs),
        _differences((a.end, b.end) for a, b in pairs),
        sum(unit.start is not None for unit in ours),
    )


def summarize(errors: Sequence[float], n_reference: int) -> TimingSummary | None:
    """Median, 90th percentile and shares of the errors (seconds); None where there are none."""
    import numpy as np

    if not errors:
        return None
    milliseconds = 1000 * np.asarray(errors)
    size = np.abs(milliseconds)
    # Times are read from decimals: without the margin 50 ms may be 50.000000001.
    within = tuple(float(np.mean(size <= tolerance + 1e-6)) for tolerance in TOLERANCES_MS)
    return TimingSummary(
        n=len(errors),
        matched=len(errors) / n_reference if n_reference else 1.0,
        median_ms=float(np.median(size)),
        p90_ms=float(np.percentile(size, 90)),
        bias_ms=float(np.median(milliseconds)),
        within=within,
    )


def _differences(times: Iterable[tuple[float | None, float | None]]) -> tuple[float, ...]:
    return tuple(heard - said for said, heard in times if said is not None and heard is not None)


def _timed_units(
    texts: Sequence[TimedText], language: str | None, strip_accents: bool
) -> list[TimedText]:
    """Normalised units; the first of each text has its start, the last its end."""
    found = []
    for text in texts:
        units = split_units(text.text, language, strip_accents=strip_accents)
        last = len(units) - 1
        for i, unit in enumerate(units):
            start = text.start if i == 0 else None
            found.append(TimedText(unit, start, text.end if i == last else None))
    return found
