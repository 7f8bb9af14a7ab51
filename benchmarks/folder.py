"""Many short clips: as one folder, one after the other, and a command each.

SET is a manifest as `subvino evaluate` takes it, or its folder; clips come again under other names
where there are too few. Each way hears files of its own. Those that take longer hear fewer of
them: the figures are clips in a second.

    pip install -e ".[base,evaluate]"
    python benchmarks/folder.py SET... [--clips 1000] [--sample 40] [--model base] [--threads 2]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from contenders import Setup, own_command
from recording import media_seconds, read_sets
from results import describe_run, put_section
from trials import Command, run_once
from verdicts import Verdict, verdict_table

from subvino.evaluate import Manifest, Table

WANTED = 2.0
"""How many times as many clips in a second as a folder has to give."""
FOLDER, ONE_PROCESS, COMMANDS = (
    "one folder",
    "one after the other in one process",
    "a command each",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a way took for its clips; seconds: on the clock, cpu: of all cores together."""

    way: str
    n_clips: int
    media: float
    seconds: float
    cpu: float
    peak_mib: float

    @property
    def rate(self) -> float:
        """Clips in a second."""
        return self.n_clips / self.seconds


def link_clips(sets: Sequence[Manifest], n: int, folder: Path) -> list[Path]:
    """So many clips under names of their own."""
    folder.mkdir()
    audio = [clip.audio.resolve() for one in sets for clip in one.clips]
    paths = []
    for number, source in enumerate(islice(cycle(audio), n)):
        paths.append(folder / f"{number:05}{source.suffix}")
        paths[-1].symlink_to(source)
    return paths


def measure(options: argparse.Namespace, work: Path) -> list[Row]:
    """All ways, after a run that fills the caches."""
    sets = read_sets(options.sets, "")
    languages = {clip.language for one in sets for clip in one.clips}
    setup = Setup(options.model, options.threads, languages.pop() if len(languages) == 1 else None)
    alone = own_command(setup)
    serial = (sys.executable, str(Path(__file__).with_name("engines") / "subvino_serial.py"))
    ways: dict[str, tuple[int, Command]] = {
        ONE_PROCESS: (options.sample, (*serial, "MEDIA", "FOLDER", *setup_options(setup))),
        FOLDER: (options.clips, alone),
    }
    run_once(alone, link_clips(sets, 1, work / "first")[0], options.threads)
    rows = [measure_commands(alone, link_clips(sets, options.sample, work / "each"), options)]
    for number, (way, (n_clips, command)) in enumerate(ways.items()):
        paths = link_clips(sets, n_clips, work / f"way{number}")
        print(way, file=sys.stderr, flush=True)
        trial = run_once(command, paths[0].parent, options.threads)
        media = sum(map(media_seconds, paths))
        rows.append(Row(way, n_clips, media, trial.seconds, trial.cpu, trial.peak_mib))
    return rows


def setup_options(setup: Setup) -> tuple[str, ...]:
    language = ("--language", setup.language) if setup.language else ()
    return ("--model", setup.model, "--threads", str(setup.threads), *language)


def measure_commands(command: Command, paths: Sequence[Path], options: argparse.Namespace) -> Row:
    print(COMMANDS, file=sys.stderr, flush=True)
    trials = [run_once(command, path, options.threads) for path in paths]
    return Row(
        COMMANDS,
        len(paths),
        sum(map(media_seconds, paths)),
        sum(trial.seconds for trial in trials),
        sum(trial.cpu for trial in trials),
        max(trial.peak_mib for trial in trials),
    )


def rate_table(rows: Sequence[Row]) -> Table:
    head = ("", "clips", "minutes", "s", "clips in a second", "x real time", "core s", "peak MiB")
    slowest = rows[0].rate
    cells = tuple(
        (
            row.way,
            str(row.n_clips),
            f"{row.media / 60:.1f}",
            f"{row.seconds:.1f}",
            f"{row.rate:.2f}",
            f"{row.media / row.seconds:.1f}",
            f"{row.cpu:.1f}",
            f"{row.peak_mib:.0f}",
            f"{row.rate / slowest:.2f}",
        )
        for row in rows
    )
    return Table("Clips in a second", (*head, f"/ {rows[0].way}"), cells)


def judge(rows: Sequence[Row]) -> list[Verdict]:
    rates = {row.way: row.rate for row in rows}
    ratios = {way: rates[FOLDER] / rates[way] for way in rates if way != FOLDER}
    return [
        Verdict(f"one folder: {WANTED:g}x {way}", f"{ratio:.2f}x", ratio >= WANTED)
        for way, ratio in ratios.items()
    ]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=40, help="clips of the slower ways")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-results", action="store_true", help="print only")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="subvino-folder-") as name:
        rows = measure(options, Path(name))
    command = " ".join(["python benchmarks/folder.py", *(path.name for path in options.sets)])
    command += f" --clips {options.clips} --sample {options.sample}"
    command += f" --model {options.model} --threads {options.threads}"
    threads = f"{options.threads} threads"
    facts = describe_run(command, ("openvino",), threads, f"load of the machine before: {load:.2f}")
    tables = (rate_table(rows), verdict_table(judge(rows)))
    body = "\n".join(table.to_markdown() for table in tables)
    text = f"## Short clips ({options.model})\n\n{facts}\n{body}"
    print(text)
    if not options.no_results:
        put_section(f"folder-{options.model}", text)


if __name__ == "__main__":
    main()
