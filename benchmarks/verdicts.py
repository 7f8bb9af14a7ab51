"""What an evaluation has to show: our errors beside a peer's, set by set, and whether they pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from subvino.evaluate import Clip, ClipResult, Manifest, Report, Summary, Table
from subvino.evaluate.normalize import split_units
from subvino.evaluate.wer import align, reference_units

MAX_DIFFERENCE = 0.2
"""Points of error rate by which a set may be worse than the sequential peer's."""
MAX_ONSET_MS, ONSET_TOLERANCE_MS, MIN_WITHIN = 35.0, 150.0, 95.0
"""Median error of a word's onset, and the share (%) that must lie within the tolerance."""
PASSAGE = 5
"""Units in a row that are missing or too many: lost or doubled text, not a wrong word."""
LONG = 60.0
"""Seconds from which a clip has windows, and borders between them."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Names of engines: ours, and the peer's two ways of decoding."""

    ours: str
    sequential: str
    batched: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line that has to hold, and what was found."""

    line: str
    found: str
    holds: bool


def error_table(report: Report, sides: Sides) -> Table:
    """A row for every set and all of them: the engines' error rates and our distance."""
    head = ("set", "unit", "in reference", *(f"{name} %" for name in report.engines))
    rows = [_error_row(group, sides) for group in _error_groups(report)]
    return Table("Errors", (*head, "against sequential", "holds"), tuple(rows))


def _error_row(group: dict[str, Summary], sides: Sides) -> tuple[str, ...]:
    ours = group[sides.ours]
    difference = _difference(group, sides)
    unit = {"words": "W", "characters": "C"}.get(ours.unit, "W+C")
    return (
        ours.group,
        unit,
        str(ours.errors.n_reference if ours.errors else 0),
        *(f"{_percent(summary):.2f}" for summary in group.values()),
        f"{difference:+.2f}",
        _yes(difference <= MAX_DIFFERENCE),
    )


def _error_groups(report: Report) -> list[dict[str, Summary]]:
    """By set and over all: the summary of each engine."""
    found = [s for s in report.summaries() if s.kind != "language" and s.errors is not None]
    return [
        {summary.engine: summary for summary in group}
        for _, group in groupby(found, lambda s: (s.kind, s.group))
    ]


def _percent(summary: Summary) -> float:
    return 100 * (summary.errors.rate or 0.0) if summary.errors else 0.0


def _difference(group: dict[str, Summary], sides: Sides) -> float:
    # Rounded, so that what the table shows decides.
    return round(_percent(group[sides.ours]) - _percent(group[sides.sequential]), 2)


def judge(manifests: Sequence[Manifest], report: Report, sides: Sides) -> list[Verdict]:
    """The lines about words, times and inventions, as far as the report measures them."""
    return [
        *_judge_errors(report, sides),
        *_judge_passages(manifests, report, sides),
        *_judge_onsets(report, sides),
        *_judge_inventions(report, sides),
    ]


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    rows = tuple((verdict.line, verdict.found, _yes(verdict.holds)) for verdict in verdicts)
    return Table("Lines", ("line", "found", "holds"), rows)


def _judge_errors(report: Report, sides: Sides) -> Iterator[Verdict]:
    groups = _error_groups(report)
    sets = [group for group in groups if group[sides.ours].kind == "manifest"]
    if not sets:
        return
    above = [g[sides.ours].group for g in sets if _difference(g, sides) > MAX_DIFFERENCE]
    worst = max(_difference(group, sides) for group in sets)
    yield Verdict(
        f"no set more than {MAX_DIFFERENCE} points worse than {sides.sequential}",
        f"{len(above)} of {len(sets)} are ({', '.join(above) or 'none'}); worst {worst:+.2f}",
        not above,
    )
    ours, theirs = (_n_errors(groups[-1][name]) for name in (sides.ours, sides.batched))
    yield Verdict(
        f"fewer errors over all sets than {sides.batched}",
        f"{ours} against {theirs}",
        ours < theirs,
    )


def _n_errors(summary: Summary) -> int:
    return summary.errors.n_errors if summary.errors else 0


def _judge_passages(
    manifests: Sequence[Manifest], report: Report, sides: Sides
) -> Iterator[Verdict]:
    counts = count_passages(manifests, report)
    if counts:
        texts = (f"{name}: {lost} lost, {more} too many" for name, (lost, more) in counts.items())
        pairs = zip(counts[sides.ours], counts[sides.sequential], strict=True)
        yield Verdict(
            f"no more runs of {PASSAGE} words lost or doubled in clips over {LONG:.0f} s than"
            f" {sides.sequential}",
            "; ".join(texts),
            # A reference that leaves out what is said counts against every engine alike.
            all(ours <= theirs for ours, theirs in pairs),
        )


def count_passages(manifests: Sequence[Manifest], report: Report) -> dict[str, tuple[int, int]]:
    """By engine, over all long clips: passages left out, and passages too many."""
    clips = {(m.name, clip.id): clip for m in manifests for clip in m.clips}
    counts: dict[str, tuple[int, int]] = {}
    for result in report.results:
        if result.errors is not None and result.duration > LONG:
            lost, more = counts.get(result.engine, (0, 0))
            found = list(passages(clips[result.manifest, result.clip], result))
            counts[result.engine] = (lost + found.count("delete"), more + found.count("insert"))
    return counts


def passages(clip: Clip, result: ClipResult) -> Iterator[str]:
    """The kind of every run of at least `PASSAGE` deletions or insertions."""
    reference = reference_units(clip)
    heard = split_units(result.text, clip.language, strip_accents=clip.strip_accents)
    edits = align([unit.text for unit in reference], heard)
    for kind, run in groupby(edits, lambda edit: edit.kind):
        places = [reference[edit.reference : edit.reference + 1] for edit in run]
        counted = [place for place in places if not any(unit.excluded for unit in place)]
        if kind in ("delete", "insert") and len(counted) >= PASSAGE:
            yield kind


def _judge_onsets(report: Report, sides: Sides) -> Iterator[Verdict]:
    figures = {name: onset_figures(report, name) for name in (sides.ours, sides.sequential)}
    ours, theirs = figures[sides.ours], figures[sides.sequential]
    if ours is None or theirs is None:
        return
    yield Verdict(
        f"word onset: median at most {MAX_ONSET_MS:.0f} ms, and below {sides.sequential}",
        f"{ours[0]:.0f} ms against {theirs[0]:.0f} ms",
        ours[0] <= MAX_ONSET_MS and ours[0] < theirs[0],
    )
    yield Verdict(
        f"word onset: at least {MIN_WITHIN:.0f} % within {ONSET_TOLERANCE_MS:.0f} ms, and above it",
        f"{ours[1]:.1f} % against {theirs[1]:.1f} %",
        ours[1] >= MIN_WITHIN and ours[1] > theirs[1],
    )


def onset_figures(report: Report, engine: str) -> tuple[float, float] | None:
    """Median error (ms) and share (%) within the tolerance; None without word times."""
    found = [r.words.onsets for r in report.results if r.engine == engine and r.words is not None]
    errors = 1000 * np.abs(np.array([error for onsets in found for error in onsets]))
    if not len(errors):
        return None
    within = float(np.mean(errors <= ONSET_TOLERANCE_MS + 1e-6))
    return float(np.median(errors)), 100 * within


def _judge_inventions(report: Report, sides: Sides) -> Iterator[Verdict]:
    total = {s.engine: s for s in report.summaries() if s.kind == "all"}
    found = {name: summary.invented for name, summary in total.items() if summary.invented}
    if sides.ours in found:
        text = "; ".join(f"{name}: {item.words}" for name, item in found.items())
        yield Verdict("no word invented where nobody speaks", text, not found[sides.ours].words)


def _yes(holds: bool) -> str:
    return "yes" if holds else "**no**"
