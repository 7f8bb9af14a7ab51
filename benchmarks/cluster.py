"""What workers on a cluster do, measured, and what more of them would do, simulated.

Measured on this machine: a long recording, joined from the clips of a set, and a folder of clips,
heard without a cluster and by one and two workers of one thread each, in turn, through all that
`--cluster local` does but the start of Ray and the load of the model. A worker's and the driver's
seconds are those of the processor: others may be at work beside. From these times a schedule is
played, event by event, for 1 to 1,000 workers.

    pip install -e ".[base,cluster,evaluate]"
    python benchmarks/cluster.py SET CLIPS [--model base] [--rounds 3] [--no-results]
    python benchmarks/cluster.py --times times.json      # simulate again
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recording import make_recording, read_sets
from results import IMAGES, describe_run, put_section

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
LOADS = {
    "one film of 10 h": [36_000.0],
    "1,000 films of 30 min": [1_800.0] * 1_000,
    "100,000 clips of 15 s": [15.0] * 100_000,
}
SPAN = 8
"""Windows of a span: `subvino.cluster.spans.SPAN_WINDOWS`."""
WINDOW_SECONDS = 27.0
"""Of speech in a window of a film that is speech throughout: the dearest case."""


LONG, CLIPS = "a recording", "clips"


# --- measured


@dataclass(frozen=True)
class Row:
    """One run. cpu: seconds of all workers' processors; driver: of this process."""

    load: str
    n_workers: int
    files: int
    windows: int
    sound: float
    wall: float
    cpu: float
    driver: float
    reads: tuple[float, ...]
    """Seconds from asking for a span to having it."""


@contextmanager
def loaded(n_workers: int, model: str, reads: list[float]) -> Iterator[Any]:
    """A transcriber of one thread, or with so many workers of one; reads: seconds of each span."""
    from subvino.cluster import Cluster, ClusterOptions
    from subvino.cluster.pool import Reading
    from subvino.pipeline import EngineOptions, load_transcriber

    engine = EngineOptions("CPU", threads=1)
    if not n_workers:
        yield load_transcriber(model, engine)
        return
    with Cluster(ClusterOptions("local", n_workers)) as cluster:
        transcriber = cluster(model, engine)
        while transcriber.pool.nodes.total() < n_workers:
            time.sleep(0.05)
        ask = transcriber.pool.ask

        def timed(task: Any) -> Any:
            begin, future = time.perf_counter(), ask(task)
            if isinstance(task, Reading):
                future.add_done_callback(lambda _: reads.append(time.perf_counter() - begin))
            return future

        transcriber.pool.ask = timed  # type: ignore[method-assign]
        yield transcriber


def run(load: str, media: Sequence[Path], n_workers: int, model: str) -> Row:
    """Hear the files and write their subtitles; without a cluster where there are no workers."""
    from subvino.pipeline import FileWriter, place_outputs
    from subvino.recognizer import DecodingOptions

    options, writer = DecodingOptions(), FileWriter()
    reads: list[float] = []
    files, windows, sound = 0, 0, 0.0
    with loaded(n_workers, model, reads) as transcriber, tempfile.TemporaryDirectory() as out:
        begin, driver, cpu = time.perf_counter(), time.process_time(), worker_seconds()
        streams = (transcriber.open(path, options) for path in media)
        for stream, result in transcriber.hear(streams, options, 2):
            if result is not None:
                windows += 1
                continue
            transcript = stream.transcript()
            writer.write(transcript, place_outputs(Path(transcript.media), Path(out)))
            files, sound = files + 1, sound + (stream.duration or 0.0)
        wall, driver = time.perf_counter() - begin, time.process_time() - driver
        cpu = worker_seconds() - cpu if n_workers else driver
    return Row(load, n_workers, files, windows, sound, wall, cpu, driver, tuple(reads))


def worker_seconds() -> float:
    """Processor seconds of all workers so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if "(ray::Worker" in name:
            fields = rest.split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(options: argparse.Namespace, folder: Path) -> list[Row]:
    long = make_recording(read_sets([options.set], ""), options.minutes, folder)
    loads = {LONG: [long.audio], CLIPS: sorted(options.clips.rglob("*.flac"))}
    rows = []
    for number in range(options.rounds):
        for n_workers in (0, 1, 2):
            for load, media in loads.items():
                rows.append(run(load, media, n_workers, options.model))
                print(number, {**asdict(rows[-1]), "reads": len(rows[-1].reads)}, flush=True)
    return rows


# --- simulated


@dataclass(frozen=True)
class Times:
    """Seconds. window: of a worker for one, measured several times, one drawn for each span.

    read, read_clip: from asking for a span of 8 windows, or for a clip, to having it.
    file: of the driver, for each; result: of the driver, for a window's.
    """

    window: tuple[float, ...]
    clip: tuple[float, ...]
    read: float
    read_clip: float
    file: float
    result: float


def times_of(rows: Sequence[Row]) -> Times:
    """file and result come of two runs, with one file and with many."""
    rows = [row for row in rows if row.n_workers]
    long = [row for row in rows if row.load == LONG]
    clips = [row for row in rows if row.load == CLIPS]
    recording = statistics.median(row.driver for row in long)
    clip = statistics.median(row.driver for row in clips) / clips[0].files
    # clip = file + result; recording = file + windows * result
    result = min(max((recording - clip) / (long[0].windows - 1), 0.0), clip)
    return Times(
        window=tuple(row.cpu / row.windows for row in long),
        clip=tuple(row.cpu / row.windows for row in clips),
        read=statistics.median(read for row in long for read in row.reads),
        read_clip=statistics.median(read for row in clips for read in row.reads),
        file=clip - result,
        result=result,
    )


class Simulation:
    """The schedule of `subvino.cluster`, by events.

    The driver is one: whatever it does for a file or a span waits for what it is at. A file's spans
    are read one after the other; the first tells the language, for which the others wait. As many
    files are read beforehand as there are workers.
    """

    def __init__(self, files: Sequence[float], n_workers: int, times: Times) -> None:
        self._files, self._times = files, times
        self._rng = random.Random(1)
        self._events: list[tuple[float, int, str, int, int]] = []
        self._n_events = 0
        self._free = n_workers
        self._ready: list[tuple[int, int]] = []
        self._waiting: dict[int, list[int]] = {}
        self._left: dict[int, int] = {}
        self._next = 0
        self._driver = 0.0
        self._room = 2 * n_workers
        self.end = 0.0
        self.busy = 0.0

    def run(self) -> Simulation:
        for _ in range(min(self._room, len(self._files))):
            self._open(0.0)
        while self._events:
            now, _, kind, file, span = heapq.heappop(self._events)
            if kind == "read":
                self._have_read(now, file, span)
            else:
                self._have_heard(now, file, span)
            self._hand_out(now)
        return self

    def _at(self, when: float, kind: str, file: int, span: int = 0) -> None:
        self._n_events += 1
        heapq.heappush(self._events, (when, self._n_events, kind, file, span))

    def _drive(self, now: float, seconds: float) -> float:
        """When the driver has done it."""
        self._driver = max(self._driver, now) + seconds
        self.busy += seconds
        return self._driver

    def _n_windows(self, file: int) -> int:
        return max(1, round(self._files[file] / WINDOW_SECONDS))

    def _n_spans(self, file: int) -> int:
        return -(-self._n_windows(file) // SPAN)

    def _windows_in(self, file: int, span: int) -> int:
        return min(SPAN, self._n_windows(file) - span * SPAN)

    def _read(self, file: int) -> float:
        return self._times.read if self._n_spans(file) > 1 else self._times.read_clip

    def _open(self, now: float) -> None:
        if self._next == len(self._files):
            return
        file, self._next = self._next, self._next + 1
        self._left[file] = self._n_spans(file)
        self._waiting[file] = []
        self._at(self._drive(now, self._times.file / 2) + self._read(file), "read", file)

    def _have_read(self, now: float, file: int, span: int) -> None:
        if span + 1 < self._n_spans(file):
            self._at(now + self._read(file), "read", file, span + 1)
        if span == 0 or file not in self._waiting:
            heapq.heappush(self._ready, (file, span))
        else:
            self._waiting[file].append(span)

    def _have_heard(self, now: float, file: int, span: int) -> None:
        done = self._drive(now, self._times.result * self._windows_in(file, span))
        self._free += 1
        for span in self._waiting.pop(file, ()):
            heapq.heappush(self._ready, (file, span))
        self._left[file] -= 1
        if not self._left[file]:
            done = self._drive(done, self._times.file / 2)
            self._open(done)
        self.end = max(self.end, done)

    def _hand_out(self, now: float) -> None:
        while self._free and self._ready:
            file, span = heapq.heappop(self._ready)
            self._free -= 1
            windows = self._windows_in(file, span)
            took = self._rng.choice(self._times.clip if windows == 1 else self._times.window)
            self._at(now + windows * took, "heard", file, span)


def simulate(times: Times) -> dict[str, list[Simulation]]:
    return {
        name: [Simulation(files, n, times).run() for n in WORKERS] for name, files in LOADS.items()
    }


# --- told


def report(rows: Sequence[Row], times: Times) -> Iterator[str]:
    yield "**Measured**: workers of one thread, on one machine; medians\n"
    yield "| load | workers | files | windows | sound s | s | x real time | to 1 worker | core s |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for load in (LONG, CLIPS):
        walls = {
            n: statistics.median(row.wall for row in rows if (row.load, row.n_workers) == (load, n))
            for n in (0, 1, 2)
        }
        for n, wall in walls.items():
            found = [row for row in rows if (row.load, row.n_workers) == (load, n)]
            core, one = statistics.median(row.cpu for row in found), found[0]
            yield (
                f"| {load} | {n or 'no cluster'} | {one.files} | {one.windows} | {one.sound:.0f} "
                f"| {wall:.1f} | {one.sound / wall:.1f} | {walls[1] / wall:.2f} | {core:.1f} |"
            )
    long = [row for row in rows if row.load == LONG and row.n_workers]
    speed = statistics.median(row.sound / row.cpu for row in long)
    yield "\n| measured time | ms |\n| --- | ---: |"
    window, clip = statistics.median(times.window), statistics.median(times.clip)
    yield f"| a worker's core for a window of a long file | {1e3 * window:.0f} |"
    yield f"| a worker's core for a clip | {1e3 * clip:.0f} |"
    yield f"| from asking for a span of 8 windows to having it | {1e3 * times.read:.0f} |"
    yield f"| from asking for a clip to having it | {1e3 * times.read_clip:.0f} |"
    yield f"| the driver for a file: open it, write the subtitles | {1e3 * times.file:.1f} |"
    yield f"| the driver for a window: its result, its cues | {1e3 * times.result:.1f} |"
    yield f"\nA worker's core hears {speed:.1f} s of the recording in a second.\n"


def report_simulation(found: dict[str, list[Simulation]]) -> Iterator[str]:
    yield "**Simulated** from these times, not measured on so many machines: hours, times one"
    yield "worker, and the share of the time that the driver is busy\n"
    yield "| workers | " + " | ".join(f"{name}: h | x | driver" for name in LOADS) + " |"
    yield "| ---: |" + " ---: | ---: | ---: |" * len(LOADS)
    for place, n in enumerate(WORKERS):
        cells = []
        for one in found.values():
            sim = one[place]
            x = one[0].end / sim.end
            cells.append(f"{sim.end / 3600:.3g} | {x:.1f} | {sim.busy / sim.end:.0%}")
        yield f"| {n} | " + " | ".join(cells) + " |"


def draw(found: dict[str, list[Simulation]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    axes.loglog(WORKERS, WORKERS, color="0.7", linestyle="--", label="linear")
    for (name, one), marker in zip(found.items(), "os^", strict=True):
        axes.loglog(WORKERS, [one[0].end / sim.end for sim in one], marker=marker, label=name)
    axes.set_xlabel("workers of one core")
    axes.set_ylabel("times as fast as one worker")
    axes.set_title("Simulated from measured times, not measured on so many machines", fontsize=10)
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("set", type=Path, nargs="?", metavar="SET")
    parser.add_argument("clips", type=Path, nargs="?")
    parser.add_argument("--model", default="base")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the recording")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=Path, help="measured before; written where it is missing")
    parser.add_argument("--no-results", action="store_true")
    options = parser.parse_args()
    if options.times and options.times.is_file():
        rows = [Row(**row) for row in json.loads(options.times.read_text())]
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(options, Path(folder))
        if options.times:
            options.times.write_text(json.dumps([asdict(row) for row in rows]))
    times = times_of(rows)
    found = simulate(times)
    text = "\n".join([*report(rows, times), *report_simulation(found)])
    print(text)
    if not options.no_results:
        command = f"python benchmarks/cluster.py SET CLIPS --model {options.model}"
        head = describe_run(
            command, ("openvino", "ray"), f"load of the machine: {os.getloadavg()[0]:.1f}"
        )
        put_section("cluster", f"## A cluster\n\n{head}\n{text}")
        draw(found, IMAGES / "cluster.png")


if __name__ == "__main__":
    main()
