"""What came out of a comparison of two engines: one table, JSON, and a page with plots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from statistics import median
from typing import Any

from subvino.evaluate.comparison import Comparison, Difference
from subvino.evaluate.page import render_document, render_plot, render_table
from subvino.evaluate.parts import PartTimes
from subvino.evaluate.report import Summary, Table


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, and what it takes; None where that can't be measured.

    disk: bytes of its files. memory_loaded, memory_peak: resident at most in a process of its own
    until the model is loaded, and until a clip is transcribed, bytes.
    start: seconds to load the model in that process.
    """

    name: str
    disk: int | None = None
    memory_loaded: int | None = None
    memory_peak: int | None = None
    start: float | None = None
    parts: PartTimes | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: a value of A and of B, with its unit.

    ratio: whether B's value in A's says anything.
    """

    name: str
    unit: str
    a: float | None
    b: float | None
    digits: int = 1
    ratio: bool = True

    @property
    def b_to_a(self) -> float | None:
        """B's value in A's; None where that says nothing."""
        if not self.ratio or not self.a or self.b is None:
            return None
        return self.b / self.a


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Two sides and what they made of the same clips.

    conditions: what the figures hold for, by name.
    """

    a: Side
    b: Side
    comparison: Comparison
    conditions: Mapping[str, str] = field(default_factory=dict)

    def figures(self) -> tuple[Figure, ...]:
        """All that was measured of both."""
        found = (*self._costs(), *self._times(), *self._accuracy())
        return tuple(figure for figure in found if figure.a is not None or figure.b is not None)

    def _costs(self) -> Iterator[Figure]:
        a, b = self.a, self.b
        yield Figure("size on disk", "MB", _mega(a.disk), _mega(b.disk))
        yield Figure("memory, loaded", "MB", _mega(a.memory_loaded), _mega(b.memory_loaded), 0)
        yield Figure("memory, at most", "MB", _mega(a.memory_peak), _mega(b.memory_peak), 0)
        yield Figure("start", "s", a.start, b.start, 2)

    def _times(self) -> Iterator[Figure]:
        a, b = (_part_medians(side.parts) for side in (self.a, self.b))
        for name in dict.fromkeys((*a, *b)):
            yield Figure(name, "ms", a.get(name), b.get(name), 2)
        seconds, duration = self.comparison.seconds, self.comparison.duration
        yield Figure("whole pipeline", "s", seconds[0], seconds[1], 2)
        a_speed, b_speed = (duration / s if s else None for s in seconds)
        yield Figure("speed", "x real time", a_speed, b_speed)

    def _accuracy(self) -> Iterator[Figure]:
        a, b = (None if r is None else 100 * r for r in self.comparison.error_rates)
        yield Figure("word error rate", "%", a, b, 2, ratio=False)
        a, b = (None if rate is None else 100 - rate for rate in (a, b))
        yield Figure("word accuracy", "%", a, b, 2, ratio=False)
        onsets = [s.word_onsets.median_ms if s.word_onsets else None for s in self._whole()]
        if len(onsets) == 2:
            yield Figure("word onset error, median", "ms", onsets[0], onsets[1], 0, ratio=False)

    def _whole(self) -> list[Summary]:
        return [one for one in self.comparison.report.summaries() if one.kind == "all"]

    @property
    def wer_difference(self) -> float | None:
        """B's word error rate less A's, in points of per cent."""
        a, b = self.comparison.error_rates
        return None if a is None or b is None else 100 * (b - a)

    def verdict(self) -> str:
        """What it comes to, in a line."""
        seconds = self.comparison.seconds
        ratio = seconds[0] / seconds[1] if seconds[1] else 0.0
        difference = self.wer_difference
        errors = "" if difference is None else f", word error rate {difference:+.2f} points"
        shift = self.comparison.word_shift
        apart = "" if shift is None else f", word onsets {shift.median_ms:.0f} ms apart (median)"
        return f"{self.b.name} is {ratio:.2f}x as fast as {self.a.name}{errors}{apart}"

    def table(self) -> Table:
        """The figures side by side."""
        rows = tuple(
            (f.name, f.unit, _cell(f.a, f.digits), _cell(f.b, f.digits), _cell(f.b_to_a, 2))
            for f in self.figures()
        )
        return Table("Side by side", ("", "unit", self.a.name, self.b.name, "B : A"), rows)

    def difference_table(self, most: int | None = None) -> Table:
        """Where the transcripts differ; most: rows of it."""
        found = list(self.comparison.differences())
        rows = tuple(_difference_row(one) for one in found[:most])
        title = f"Where the transcripts differ: {len(found)} places"
        return Table(title, ("clip", "said", self.a.name, self.b.name), rows)

    def to_json(self) -> str:
        """Everything measured, indented, ending in a line break."""
        shift = self.comparison.word_shift
        rows: dict[str, Any] = {
            "a": _side_row(self.a),
            "b": _side_row(self.b),
            "conditions": dict(self.conditions),
            "figures": [
                {"name": f.name, "unit": f.unit, "a": f.a, "b": f.b, "b_to_a": f.b_to_a}
                for f in self.figures()
            ],
            "wer_difference": self.wer_difference,
            "word_shift_ms": None if shift is None else shift.median_ms,
            "differences": [
                {"manifest": d.manifest, "clip": d.clip, "a": d.before, "b": d.after}
                for d in self.comparison.differences()
            ],
            "evaluation": json.loads(self.comparison.report.to_json()),
        }
        return json.dumps(_rounded(rows), ensure_ascii=False, indent=2) + "\n"

    def to_html(self, plots: Mapping[str, bytes]) -> str:
        """One page that needs nothing beside it; plots: name → PNG."""
        title = f"{self.a.name} and {self.b.name}"
        conditions = "; ".join(f"{name}: {value}" for name, value in self.conditions.items())
        tables = self.comparison.report.tables()
        return render_document(
            title,
            [
                f"<p>{escape(self.verdict())}.</p>",
                render_table(self.table()),
                *(render_plot(name, png) for name, png in plots.items()),
                *map(render_table, tables),
                render_table(self.difference_table(), text=True),
                f"<p>{escape(conditions)}</p>",
            ],
        )


def _part_medians(parts: PartTimes | None) -> dict[str, float]:
    """Milliseconds by what takes them."""
    if parts is None:
        return {}
    steps = {_step_name(n): parts.step_ms(n) for n in sorted(parts.steps)}
    return {"encoder, a window": parts.encoder_ms} | steps


def _step_name(n_windows: int) -> str:
    return f"decoder, a step of {n_windows} window{'s' if n_windows > 1 else ''}"


def _difference_row(one: Difference) -> tuple[str, ...]:
    return (f"{one.manifest}/{one.clip}", one.said, one.before or "·", one.after or "·")


def _side_row(side: Side) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": side.name,
        "disk": side.disk,
        "memory_loaded": side.memory_loaded,
        "memory_peak": side.memory_peak,
        "start": side.start,
    }
    if side.parts is not None:
        row["encoder_ms"] = side.parts.encoder
        row["step_ms"] = {str(n): times for n, times in side.parts.steps.items()}
        row["step_ms_median"] = {str(n): median(t) for n, t in side.parts.steps.items()}
    return row


def _mega(n_bytes: int | None) -> float | None:
    return None if n_bytes is None else n_bytes / 1e6


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value
