"""How our time and memory grow: with the length of the media, with threads, with the batch.

Each point is a process of its own, from a media file to SRT. Plots go to docs/images/.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import Setup, own_command
from recording import make_recording, media_seconds
from trials import Outcome, run_in_turn
from verdicts import Verdict

from subvino.evaluate import Manifest, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PEAK_MIB = 1.2e9 / 2**20
LINEAR = 1.15
"""How much longer a minute of the longest media may take than one of the next shorter."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """What is varied, one at a time.

    lengths: minutes, each with all threads and the default batch and beam.
    middle: minutes, of the runs that vary threads and batch.
    rounds: of the runs up to `middle`; longer ones run once.
    """

    models: tuple[str, ...] = ("base", "tiny.en")
    lengths: tuple[float, ...] = (1.0, 10.0, 60.0, 600.0)
    middle: float = 10.0
    threads: tuple[int, ...] = (1, 2)
    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    beams: tuple[int, ...] = (5, 1)
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of running; batch and beam: None takes the default."""

    model: str
    threads: int
    batch: int | None = None
    beam: int | None = None

    def command(self, language: str | None) -> tuple[str, ...]:
        # A model that knows one language only is told none.
        told = None if self.model.endswith(".en") else language
        options = (("--batch-size", self.batch), ("--beam-size", self.beam))
        given = (part for name, value in options if value for part in (name, str(value)))
        return own_command(Setup(self.model, self.threads, told), *given)


@dataclass(frozen=True, slots=True)
class Point:
    """A cell, the media's seconds, and what it took."""

    cell: Cell
    media: float
    outcome: Outcome

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.media / self.outcome.seconds


@dataclass(frozen=True, slots=True)
class Scaling:
    """lengths: default cells over all lengths; middle: all cells over one."""

    lengths: tuple[Point, ...]
    middle: tuple[Point, ...]


def measure_scaling(sets: Sequence[Manifest], ranges: Ranges) -> Scaling:
    most = max(ranges.threads)
    default = [Cell(model, most) for model in ranges.models]
    lengths = [p for minutes in ranges.lengths for p in _points(sets, minutes, default, ranges)]
    return Scaling(
        tuple(lengths), tuple(_points(sets, ranges.middle, list(middle_cells(ranges)), ranges))
    )


def middle_cells(ranges: Ranges) -> Iterator[Cell]:
    for model in ranges.models:
        for beam in ranges.beams:
            for threads in ranges.threads:
                yield Cell(model, threads, beam=beam)
            for batch in ranges.batches:
                yield Cell(model, max(ranges.threads), batch, beam)


def _points(
    sets: Sequence[Manifest], minutes: float, cells: Sequence[Cell], ranges: Ranges
) -> Iterator[Point]:
    """All cells in turn over one recording."""
    rounds = ranges.rounds if minutes <= ranges.middle else 1
    with tempfile.TemporaryDirectory(prefix="subvino-scaling-") as name:
        clip = make_recording(sets, minutes, Path(name))
        seconds = media_seconds(clip.audio)
        for threads in sorted({cell.threads for cell in cells}):
            same = [cell for cell in cells if cell.threads == threads]
            commands = {repr(cell): cell.command(clip.language) for cell in same}
            # A long run warms up by itself.
            outcomes = run_in_turn(commands, clip.audio, rounds, threads, warm_up=rounds > 1)
            for cell in same:
                if repr(cell) in outcomes:
                    yield Point(cell, seconds, outcomes[repr(cell)])


# --- tables -------------------------------------------------------------------------------------


def scaling_tables(found: Scaling) -> list[Table]:
    return [_table("By length", found.lengths), _table("By threads and batch", found.middle)]


def _table(title: str, points: Sequence[Point]) -> Table:
    head = (
        "model",
        "minutes",
        "threads",
        "batch",
        "beam",
        "s",
        "x real time",
        "core s",
        "peak MiB",
    )
    return Table(title, head, tuple(map(_row, points)))


def _row(point: Point) -> tuple[str, ...]:
    cell, outcome = point.cell, point.outcome
    return (
        cell.model,
        f"{point.media / 60:.1f}",
        str(cell.threads),
        str(cell.batch or "default"),
        str(cell.beam or "default"),
        f"{outcome.seconds:.1f}",
        f"{point.speed:.1f}",
        f"{outcome.cpu:.1f}",
        f"{outcome.peak_mib:.0f}",
    )


def judge_scaling(found: Scaling) -> Iterator[Verdict]:
    """Memory and time of the longest media, by model."""
    for model, points in _by_model(found.lengths).items():
        *_, before, longest = sorted(points, key=lambda point: point.media)
        hours, peak = longest.media / 3600, longest.outcome.peak_mib
        line = f"{model}, {hours:.1f} hours: peak memory under 1.2 GB"
        yield Verdict(line, f"{peak:.0f} MiB", peak < MAX_PEAK_MIB)
        ratio = before.speed / longest.speed
        found_text = (
            f"a minute takes {ratio:.2f} times as long as in {before.media / 60:.0f} minutes"
        )
        line = f"{model}, {hours:.1f} hours: time linear in the length"
        yield Verdict(line, found_text, ratio <= LINEAR)


def _by_model(points: Sequence[Point]) -> dict[str, list[Point]]:
    models = dict.fromkeys(point.cell.model for point in points)
    return {model: [p for p in points if p.cell.model == model] for model in models}


# --- plots --------------------------------------------------------------------------------------


def draw_scaling(found: Scaling) -> dict[str, bytes]:
    """Name → PNG."""
    from io import BytesIO

    from matplotlib.figure import Figure

    draws = {"length": _draw_length, "batch": _draw_batch}
    plots = {}
    for name, draw in draws.items():
        figure, buffer = Figure(figsize=(10, 4.2), layout="constrained"), BytesIO()
        left, right = figure.subplots(1, 2)
        draw(left, right, found)
        figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
        plots[name] = buffer.getvalue()
    return plots


def _draw_length(left: Axes, right: Axes, found: Scaling) -> None:
    """Time and memory over the media's length."""
    for model, points in _by_model(found.lengths).items():
        minutes = [point.media / 60 for point in points]
        left.plot(minutes, [p.outcome.seconds / 60 for p in points], "o-", label=model)
        right.plot(minutes, [p.outcome.peak_mib for p in points], "o-", label=model)
    left.set(title="Time from file to SRT", ylabel="minutes", xscale="log", yscale="log")
    left.yaxis.set_major_formatter("{x:g}")
    right.set(title="Peak memory", ylabel="MiB", xscale="log", ylim=(0, 1.1 * MAX_PEAK_MIB))
    right.axhline(MAX_PEAK_MIB, linewidth=0.8, linestyle="--", color="black")
    right.annotate("1.2 GB", (1, MAX_PEAK_MIB), textcoords="offset points", xytext=(0, -12))
    for axes in (left, right):
        axes.set_xlabel("minutes of media")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.legend()


def _draw_batch(left: Axes, right: Axes, found: Scaling) -> None:
    """Speed over the batch, and by threads."""
    batched = [point for point in found.middle if point.cell.batch is not None]
    for (model, beam), points in _series(batched).items():
        batches = [point.cell.batch or 0 for point in points]
        left.plot(batches, [p.speed for p in points], "o-", label=f"{model}, beam {beam}")
    left.set(title="Speed by batch", xlabel="windows at once", xscale="log", ylim=(0, None))
    left.set_xticks(sorted({p.cell.batch or 0 for p in batched}))
    left.xaxis.set_major_formatter("{x:.0f}")
    left.minorticks_off()
    unbatched = [point for point in found.middle if point.cell.batch is None]
    for (model, beam), points in _series(unbatched).items():
        threads = [point.cell.threads for point in points]
        right.plot(threads, [p.speed for p in points], "o-", label=f"{model}, beam {beam}")
    right.set(title="Speed by threads", xlabel="threads, each on a core", ylim=(0, None))
    right.set_xticks(sorted({p.cell.threads for p in unbatched}))
    left.set_ylabel("times real time")
    left.legend()


def _series(points: Sequence[Point]) -> dict[tuple[str, int | None], list[Point]]:
    keys = dict.fromkeys((point.cell.model, point.cell.beam) for point in points)
    return {key: [p for p in points if (p.cell.model, p.cell.beam) == key] for key in keys}
