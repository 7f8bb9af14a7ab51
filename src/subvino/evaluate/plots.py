"""Pictures of a report, as PNG: errors clip by clip, and how far times are off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from subvino.errors import MissingExtraError
from subvino.evaluate.report import Report
from subvino.evaluate.score import ClipResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDEST_MS = 500
"""Milliseconds: times that are further off stand at the histogram's ends."""


def draw_plots(report: Report) -> Mapping[str, bytes]:
    """Name → PNG: "errors" where there are error rates, "timing" where there are word times.

    Raises MissingExtraError where matplotlib is not installed.
    """
    check_plots()
    plots: dict[str, bytes] = {}
    if any(result.errors is not None for result in report.results):
        plots["errors"] = _draw(report, _draw_errors)
    if any(result.words is not None and result.words.onsets for result in report.results):
        plots["timing"] = _draw(report, _draw_timing)
    return MappingProxyType(plots)


def draw_ratios(figures: Sequence[tuple[str, float]], a: str, b: str) -> bytes:
    """A PNG of what B takes of each thing that A takes 1 of; figures: (name, B : A)."""
    from matplotlib.figure import Figure as Canvas

    check_plots()
    canvas = Canvas(figsize=(9, 0.8 + 0.45 * max(2, len(figures))), layout="constrained")
    axes = canvas.add_subplot()
    names = [_plain(name) for name, _ in figures]
    values = [value for _, value in figures]
    bars = axes.barh(names, values)
    axes.bar_label(bars, [f" {value:.2f}" for value in values])
    axes.axvline(1, linewidth=0.8, color="black")
    axes.invert_yaxis()
    axes.set(
        title=f"What {_plain(b)} takes, where {_plain(a)} takes 1 (less is better)",
        xlim=(0, 1.15 * max([1.0, *values])),
    )
    return _to_png(canvas)


def check_plots() -> None:
    """Raises MissingExtraError where plots can't be drawn: to be known before the long work."""
    if find_spec("matplotlib") is None:
        raise MissingExtraError("evaluate", "drawing plots")


def _draw(report: Report, draw: Callable[[Axes, Report], None]) -> bytes:
    from matplotlib.figure import Figure

    # Not through pyplot: it keeps figures and a backend as module state.
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    draw(figure.add_subplot(), report)
    return _to_png(figure)


def _to_png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _draw_errors(axes: Axes, report: Report) -> None:
    """The error rate (y) that a share of the clips (x) does not exceed, a curve for each engine."""
    for engine in report.engines:
        rates = np.sort(_error_percents(report.results, engine))
        if len(rates):
            share = np.linspace(0, 100, len(rates) + 1)
            axes.stairs(rates, share, baseline=None, label=_plain(engine))
    axes.set(
        title="Errors per clip, the best clips first",
        xlabel="share of the clips, %",
        ylabel="error rate of the clip, %",
        ylim=(0, None),
    )
    axes.legend()


def _error_percents(results: Sequence[ClipResult], engine: str) -> list[float]:
    found = [result.errors.rate for result in results if result.engine == engine and result.errors]
    return [100 * rate for rate in found if rate is not None]


def _draw_timing(axes: Axes, report: Report) -> None:
    # Whisper's times are multiples of 20 ms: they lie in the middle of their bins.
    bins = np.arange(-_WIDEST_MS - 10, _WIDEST_MS + 11, 20)
    for engine in report.engines:
        onsets = np.array(
            [
                1000 * error
                for result in report.results
                if result.engine == engine and result.words is not None
                for error in result.words.onsets
            ]
        )
        if len(onsets):
            inside = np.clip(onsets, -_WIDEST_MS, _WIDEST_MS)
            axes.hist(inside, bins=bins.tolist(), histtype="step", label=_plain(engine))
    axes.set(
        title="Word onsets: how far off",
        xlabel="ms; late is positive",
        ylabel="words",
    )
    axes.axvline(0, linewidth=0.8, color="black")
    axes.legend()


def _plain(name: str) -> str:
    """A name as matplotlib shows it: "$" begins a formula there, "_" hides a label."""
    return name.replace("$", r"\$").lstrip("_")
