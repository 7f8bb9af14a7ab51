"""How our speed and memory change with the media's length, the windows at once, threads and model.

Each point is a process of its own, from a media file to SRT. Up to the middle length all run in
turn, and medians are given; longer media are heard once. SET is as `speed.py` takes it.

    pip install -e ".[base,tiny-en,evaluate]"
    python benchmarks/scaling.py SET... [--models base,tiny.en] [--lengths 1,10,60,600]
        [--middle 10] [--batches 1,2,4,8,16,32] [--threads 1,2] [--rounds 3]
        # the default: a quarter of an hour on two cores; the plot goes to docs/images/
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import Setup, own_command
from recording import make_recording, media_seconds, read_sets, repeat_sound
from results import IMAGES, describe_run, put_section
from trials import Outcome, run_in_turn
from verdicts import Verdict, verdict_table

from subvino.evaluate import Manifest, Table
from subvino.outputs import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PEAK_MIB = 1.2e9 / 2**20
LINEAR = 1.15
"""How many times as long a minute of the longest media may take as one of the next shorter."""
ALL_MODELS = 120.0
"""Minutes; longer media are heard by the last model only. `long.py` is for hours of another."""
PLOT = "scaling.png"


@dataclass(frozen=True, slots=True)
class Ranges:
    """What is varied, one at a time beside the model.

    lengths: minutes, each with all threads and the default number of windows at once.
    middle: minutes, of the runs that vary threads and windows at once.
    rounds: of the runs up to `middle`; longer ones run once.
    """

    models: tuple[str, ...]
    lengths: tuple[float, ...]
    middle: float
    threads: tuple[int, ...]
    batches: tuple[int, ...]
    rounds: int

    def all_lengths(self) -> list[float]:
        return sorted({*self.lengths, self.middle})


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of running; batch: None takes the default."""

    model: str
    threads: int
    batch: int | None = None

    def command(self, language: str | None) -> tuple[str, ...]:
        # A model that knows one language only is told none.
        told = None if self.model.endswith(".en") else language
        given = ("--batch-size", str(self.batch)) if self.batch else ()
        return own_command(Setup(self.model, self.threads, told), *given)


@dataclass(frozen=True, slots=True)
class Media:
    """A recording of `minutes` as asked for; seconds: as it came out."""

    path: Path
    language: str | None
    minutes: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Point:
    """A cell, the media, and what it took."""

    cell: Cell
    media: Media
    outcome: Outcome

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.media.seconds / self.outcome.seconds


@dataclass(frozen=True, slots=True)
class Scaling:
    """The same points may be in several."""

    lengths: tuple[Point, ...]
    batches: tuple[Point, ...]
    threads: tuple[Point, ...]


# --- runs ---------------------------------------------------------------------------------------


def measure_scaling(sets: Sequence[Manifest], ranges: Ranges) -> Scaling:
    with tempfile.TemporaryDirectory(prefix="subvino-scaling-") as name:
        recordings = make_media(sets, ranges, Path(name))
        # What is kept from run to run, such as compiled graphs, is made here.
        _run(list(middle_cells(ranges)), recordings[0], rounds=1)
        points = [p for media in recordings for p in _measure(media, ranges)]
    middle = [p for p in points if p.media.minutes == ranges.middle]
    most = max(ranges.threads)
    return Scaling(
        lengths=tuple(p for p in points if not p.cell.batch and p.cell.threads == most),
        batches=tuple(p for p in middle if p.cell.batch),
        threads=tuple(p for p in middle if not p.cell.batch),
    )


def make_media(sets: Sequence[Manifest], ranges: Ranges, folder: Path) -> list[Media]:
    """Shortest first; what is longer than the middle is the middle again and again."""
    made = list[Media]()
    for minutes in ranges.all_lengths():
        place = folder / f"{minutes:g}"
        place.mkdir()
        if minutes <= ranges.middle:
            clip = make_recording(sets, minutes, place)
            path, language = clip.audio, clip.language
        else:
            middle = next(media for media in made if media.minutes == ranges.middle)
            path, language = place / middle.path.name, middle.language
            repeat_sound(middle.path, path, math.ceil(60 * minutes / middle.seconds))
        made.append(Media(path, language, minutes, media_seconds(path)))
    return made


def _measure(media: Media, ranges: Ranges) -> list[Point]:
    if media.minutes == ranges.middle:
        return _run(list(middle_cells(ranges)), media, ranges.rounds)
    models = ranges.models if media.minutes <= ALL_MODELS else ranges.models[-1:]
    cells = [Cell(model, max(ranges.threads)) for model in models]
    return _run(cells, media, ranges.rounds if media.minutes < ranges.middle else 1)


def middle_cells(ranges: Ranges) -> Iterator[Cell]:
    for model in ranges.models:
        for threads in ranges.threads:
            yield Cell(model, threads)
        for batch in ranges.batches:
            yield Cell(model, max(ranges.threads), batch)


def _run(cells: Sequence[Cell], media: Media, rounds: int) -> list[Point]:
    """Cells with as many threads in turn, on as many cores."""
    points = list[Point]()
    for threads in sorted({cell.threads for cell in cells}):
        same = {repr(cell): cell for cell in cells if cell.threads == threads}
        commands = {name: cell.command(media.language) for name, cell in same.items()}
        outcomes = run_in_turn(commands, media.path, rounds, threads, warm_up=False)
        points += [Point(same[name], media, outcome) for name, outcome in outcomes.items()]
    return points


# --- tables -------------------------------------------------------------------------------------


def scaling_tables(found: Scaling) -> list[Table]:
    return [
        _table("By length", "minutes", found.lengths, lambda p: f"{p.media.seconds / 60:.1f}"),
        _table("By windows at once", "windows", found.batches, lambda p: str(p.cell.batch)),
        _table("By threads", "threads", found.threads, lambda p: str(p.cell.threads)),
    ]


def _table(
    title: str, varied: str, points: Sequence[Point], value: Callable[[Point], str]
) -> Table:
    head = ("model", varied, "s", "min-max s", "x real time", "core s", "peak MiB")
    rows = (
        (
            point.cell.model,
            value(point),
            f"{point.outcome.seconds:.1f}",
            point.outcome.spread,
            f"{point.speed:.1f}",
            f"{point.outcome.cpu:.1f}",
            f"{point.outcome.peak_mib:.0f}",
        )
        for same in by_model(points).values()
        for point in same
    )
    return Table(title, head, tuple(rows))


def judge_scaling(found: Scaling) -> Iterator[Verdict]:
    """Memory and time of the longest media, by model."""
    for model, points in by_model(found.lengths).items():
        longest = points[-1]
        hours, peak = longest.media.seconds / 3600, longest.outcome.peak_mib
        line = f"{model}, {hours:.1f} hours: peak memory under 1.2 GB"
        yield Verdict(line, f"{peak:.0f} MiB", peak < MAX_PEAK_MIB)
        for before in points[-2:-1]:
            ratio, minutes = before.speed / longest.speed, before.media.seconds / 60
            text = f"a minute takes {ratio:.2f} times as long as in {minutes:.0f} minutes"
            line = f"{model}, {hours:.1f} hours: time linear in the length"
            yield Verdict(line, text, ratio <= LINEAR)


def by_model(points: Sequence[Point]) -> Mapping[str, list[Point]]:
    models = dict.fromkeys(point.cell.model for point in points)
    return {model: [p for p in points if p.cell.model == model] for model in models}


# --- plot ---------------------------------------------------------------------------------------


def draw_scaling(found: Scaling) -> bytes:
    """PNG: speed above memory, by length, windows at once and threads."""
    from io import BytesIO

    from matplotlib.figure import Figure

    figure, buffer = Figure(figsize=(11, 6.4), layout="constrained"), BytesIO()
    panels = figure.subplots(2, 3, sharex="col", sharey="row")
    _draw(panels[:, 0], "minutes of media", found.lengths, lambda p: p.media.seconds / 60)
    _draw(panels[:, 1], "windows at once", found.batches, lambda p: p.cell.batch or 0)
    _draw(panels[:, 2], "threads, each on a core", found.threads, lambda p: p.cell.threads)
    for row in panels:  # shared: set once all is drawn, as a limit that is set no longer grows
        row[0].set_ylim(bottom=0)
    panels[0, 0].set_ylabel("times real time")
    panels[1, 0].set_ylabel("peak memory, MiB")
    panels[0, 0].legend()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _draw(
    column: Sequence[Axes], label: str, points: Sequence[Point], value: Callable[[Point], float]
) -> None:
    speed, memory = column
    for model, same in by_model(points).items():
        places = [value(point) for point in same]
        speed.plot(places, [p.speed for p in same], "o-", label=model)
        memory.plot(places, [p.outcome.peak_mib for p in same], "o-", label=model)
    memory.axhline(MAX_PEAK_MIB, linewidth=0.8, linestyle="--", color="black")
    place = memory.get_yaxis_transform()
    memory.text(0.02, 0.99 * MAX_PEAK_MIB, "1.2 GB", va="top", transform=place)
    memory.set(xlabel=label, xscale="log")
    memory.set_xticks(sorted({round(value(point)) for point in points}))
    memory.xaxis.set_major_formatter("{x:g}")
    memory.minorticks_off()
    for axes in column:
        axes.grid(alpha=0.3)


# --- command ------------------------------------------------------------------------------------


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--models", default="base,tiny.en")
    parser.add_argument("--lengths", default="1,10,60,600", metavar="MINUTES,...")
    parser.add_argument("--middle", type=float, default=10.0, metavar="MINUTES")
    parser.add_argument("--batches", default="1,2,4,8,16,32", metavar="WINDOWS,...")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-results", action="store_true", help="print only")
    return parser.parse_args()


def make_ranges(options: argparse.Namespace) -> Ranges:
    return Ranges(
        models=tuple(options.models.split(",")),
        lengths=tuple(float(minutes) for minutes in options.lengths.split(",")),
        middle=options.middle,
        threads=tuple(int(number) for number in options.threads.split(",")),
        batches=tuple(int(number) for number in options.batches.split(",")),
        rounds=options.rounds,
    )


def describe(options: argparse.Namespace, load: float) -> str:
    sets = " ".join(path.name for path in options.sets)
    return describe_run(
        f"python benchmarks/scaling.py {sets} --models {options.models}"
        f" --lengths {options.lengths} --middle {options.middle:g} --batches {options.batches}"
        f" --threads {options.threads} --rounds {options.rounds}",
        ("openvino",),
        f"{os.cpu_count()} cores",
        f"to {options.middle:g} minutes medians of {options.rounds} runs in turn, then one run",
        f"over {ALL_MODELS:g} minutes the last model only",
        f"load of the machine before: {load:.2f}",
    )


def main() -> None:
    options = read_options()
    load = os.getloadavg()[0]
    found = measure_scaling(read_sets(options.sets, ""), make_ranges(options))
    tables = [*scaling_tables(found), verdict_table(list(judge_scaling(found)))]
    body = "\n".join(table.to_markdown() for table in tables)
    text = f"## Scaling\n\n{describe(options, load)}\n{body}"
    print(text)
    if not options.no_results:
        write_file(IMAGES / PLOT, draw_scaling(found))
        put_section("scaling", f"{text}\n![{PLOT}](../docs/images/{PLOT})")


if __name__ == "__main__":
    main()
