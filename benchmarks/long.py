"""Media of growing length, from file to SRT: time and memory.

Each file is heard by a process of its own, as users run the command; the first once more before, to
fill the caches. Give the shortest first.

    pip install -e ".[base]"
    python benchmarks/long.py MEDIA... [--model base] [--language en] [--threads 2]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contenders import Setup, own_command
from recording import media_seconds
from results import describe_run, put_section
from trials import Trial, run_once
from verdicts import Verdict, verdict_table

from subvino.evaluate import Table

MAX_PEAK_MIB = 1.2e9 / 2**20
MAX_GROWTH = 1.2
"""How many times as much memory the longest may take as the shortest of ten minutes or more."""
LINEAR = 1.15
"""How many times as long a minute of the longest may take as one of the next shorter."""
TEN_MINUTES = 9.5 * 60


@dataclass(frozen=True, slots=True)
class Run:
    """A file of so many seconds, and what it took."""

    media: float
    trial: Trial

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.media / self.trial.seconds


def measure(options: argparse.Namespace) -> list[Run]:
    command = own_command(Setup(options.model, options.threads, options.language))
    run_once(command, options.media[0], options.threads)
    runs = []
    for path in options.media:
        print(path, flush=True)
        runs.append(Run(media_seconds(path), run_once(command, path, options.threads)))
    return runs


def length_table(runs: Sequence[Run]) -> Table:
    rows = tuple(
        (
            f"{run.media / 60:.1f}",
            f"{run.trial.seconds:.1f}",
            f"{run.speed:.1f}",
            f"{run.trial.cpu:.1f}",
            f"{run.trial.peak_mib:.0f}",
        )
        for run in runs
    )
    return Table("By length", ("minutes", "s", "x real time", "core s", "peak MiB"), rows)


def judge(runs: Sequence[Run]) -> list[Verdict]:
    longest = runs[-1]
    hours, peak = longest.media / 3600, longest.trial.peak_mib
    verdicts = [
        Verdict(f"{hours:.1f} hours: peak memory under 1.2 GB", _mib(peak), peak < MAX_PEAK_MIB)
    ]
    tens = [run for run in runs[:-1] if run.media >= TEN_MINUTES]
    if tens:
        line = f"{hours:.1f} hours: within 20 % of the memory of {tens[0].media / 60:.0f} minutes"
        ratio = peak / tens[0].trial.peak_mib
        verdicts.append(Verdict(line, f"{ratio:.2f}x", ratio <= MAX_GROWTH))
        line = f"{hours:.1f} hours: time linear in the length"
        slower = tens[-1].speed / longest.speed
        found = f"a minute takes {slower:.2f}x as long as in {tens[-1].media / 60:.0f} minutes"
        verdicts.append(Verdict(line, found, slower <= LINEAR))
    return verdicts


def _mib(value: float) -> str:
    return f"{value:.0f} MiB"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("media", metavar="MEDIA", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--language", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-results", action="store_true", help="print only")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    load = os.getloadavg()[0]
    runs = measure(options)
    command = " ".join(["python benchmarks/long.py", *(path.name for path in options.media)])
    command += f" --model {options.model} --language {options.language}"
    command += f" --threads {options.threads}"
    threads = f"{options.threads} threads"
    facts = describe_run(command, ("openvino",), threads, f"load of the machine before: {load:.2f}")
    tables = (length_table(runs), verdict_table(judge(runs)))
    body = "\n".join(table.to_markdown() for table in tables)
    text = f"## Long media ({options.model})\n\n{facts}\n{body}"
    print(text)
    if not options.no_results:
        put_section(f"long-{options.model}", text)


if __name__ == "__main__":
    main()
