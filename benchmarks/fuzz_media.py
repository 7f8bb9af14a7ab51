"""Thousands of damaged media files: does any crash, hang or lose sound without a word?

Prints a table and writes it into benchmarks/RESULTS.md. A case is a seed, a seed of the run and a
number: `--case NAME:NUMBER` makes it again, keeps its file and tells its verdict.

    pip install -e ".[dev]"
    python benchmarks/fuzz_media.py [--cases 4000] [--seed 1] [--jobs 2]
"""

import argparse
import contextlib
import json
import os
import platform
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.media.fuzzing.cases import Outcome, hear, judge
from tests.media.fuzzing.mutations import MUTATIONS, mutate
from tests.media.fuzzing.seeds import SEEDS, make_seeds

from subvino.media import watchdog
from subvino.outputs import write_file

RESULTS = Path(__file__).with_name("RESULTS.md")
MEMORY = 6 << 30
"""Bytes of address space that a process may have (RLIMIT_AS)."""
PATIENCE = 300.0
"""Seconds without a verdict that are a hang. The watchdog tells a stall after `STALL` already."""
STALL = 15.0
WHOLE_ROAD = 40
"""Every so many cases, the file goes on to subtitles, by a small random model."""
IS_COUNTED = {seed.name: seed.is_counted for seed in SEEDS}
VERDICTS = ("whole", "noted", "told", "refused", "untold", "traceless", "hang", "crash")


@dataclass(frozen=True)
class Case:
    """One damaged file."""

    seed: str
    number: str
    is_whole_road: bool


def all_cases(n: int, seed: int) -> Iterator[Case]:
    for index in range(n):
        name = SEEDS[index % len(SEEDS)].name
        yield Case(name, f"{seed}:{index}", index // len(SEEDS) % WHOLE_ROAD == index % WHOLE_ROAD)


# --- in a process of its own


class Worker:
    """Does cases that come in as lines of JSON, and answers each with its verdict."""

    def __init__(self, folder: Path) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        watchdog.STALL_SECONDS = STALL
        self._folder = folder
        self._seeds = make_seeds(folder)
        self._sounds = {}
        self._transcriber = None

    def serve(self) -> None:
        for line in sys.stdin:
            name, outcome, peak = self.do(Case(**json.loads(line)))
            print(json.dumps([name, outcome.verdict, outcome.detail, peak]), flush=True)

    def do(self, case: Case) -> tuple[str, Outcome, int]:
        path = self._folder / f"{os.getpid()}{Path(case.seed).suffix}"
        name, damaged = mutate(self._seeds[case.seed], self._seeds, case.number)
        path.write_bytes(damaged)
        try:
            outcome = judge(path, self._sound(case.seed), IS_COUNTED[case.seed])
            if case.is_whole_road:
                self._subtitle(path)
        except BaseException as error:
            outcome = Outcome("crash", f"{type(error).__name__}: {error}")
        return name, outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

    def _sound(self, name: str):
        if name not in self._sounds:
            self._sounds[name] = hear(self._folder / name)[0]
        return self._sounds[name]

    def _subtitle(self, path: Path) -> None:
        """The rest of the road; what it refuses, `judge` has seen already."""
        from subvino.errors import InputError
        from subvino.outputs import OutputPlace
        from subvino.pipeline import FileWriter, OutputOptions, decoding_options

        with contextlib.suppress(InputError):
            options = decoding_options(beam_size=1, temperatures=(0.0,))
            stream = self._load().open(path, options)
            for _ in stream:
                pass
            with tempfile.TemporaryDirectory() as folder:
                writer = FileWriter(OutputOptions(("srt", "vtt", "json")))
                written = writer.write(stream.transcript(), OutputPlace(Path(folder), "a"))
                if not all(file.stat().st_size for file in written if file.suffix != ".srt"):
                    raise AssertionError("an empty file was written")

    def _load(self):
        from tests.whisper.tiny_recognizer import make_recognizer

        from subvino.pipeline import Transcriber
        from subvino.vad import load_detector

        if self._transcriber is None:
            folder = self._folder / f"model{os.getpid()}"
            os.environ["SUBVINO_CACHE"] = str(folder / "cache")
            self._transcriber = Transcriber(make_recognizer(folder, 0), load_detector())
        return self._transcriber


# --- the pool


class Process:
    """A worker process; started anew after a crash or a hang."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = None

    def do(self, case: Case) -> tuple[str, Outcome, int]:
        process = self._started()
        process.stdin.write(json.dumps(vars(case)) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], PATIENCE)[0]:
            process.kill()
            return self._ended(case, Outcome("hang", f"no verdict within {PATIENCE:.0f} s"))
        line = process.stdout.readline()
        if not line:
            return self._ended(case, Outcome("crash", f"exit status {process.wait()}"))
        name, verdict, detail, peak = json.loads(line)
        return name, Outcome(verdict, detail), peak

    def _started(self):
        if self._process is None:
            command = [sys.executable, __file__, "--worker", str(self._folder)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._process

    def _ended(self, case: Case, outcome: Outcome) -> tuple[str, Outcome, int]:
        self.close()
        seeds = make_seeds(self._folder)
        return mutate(seeds[case.seed], seeds, case.number)[0], outcome, 0

    def close(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


def run(cases: list[Case], jobs: int, folder: Path) -> list[tuple[Case, str, Outcome, int]]:
    done = []
    begin = time.monotonic()

    def work(share: list[Case]) -> None:
        process = Process(folder)
        for case in share:
            done.append((case, *process.do(case)))
            if len(done) % 50 == 0:
                counts = Counter(outcome.verdict for _, _, outcome, _ in done)
                took = time.monotonic() - begin
                print(f"{len(done)}/{len(cases)} {took:.0f} s {dict(counts)}", file=sys.stderr)
        process.close()

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, [cases[job::jobs] for job in range(jobs)]))
    return done


# --- the table


def table(rows: dict[str, Counter]) -> list[str]:
    head = ["", "cases", *VERDICTS]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for name, counts in rows.items():
        cells = [name, counts.total(), *(counts[verdict] for verdict in VERDICTS)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def report(done: list[tuple[Case, str, Outcome, int]], options: argparse.Namespace) -> str:
    suffixes = dict.fromkeys(seed.suffix for seed in SEEDS)
    containers = {suffix[1:]: Counter() for suffix in suffixes}
    mutations = {name: Counter() for name in MUTATIONS}
    total: Counter = Counter()
    for case, name, outcome, _ in done:
        for counts in (containers[Path(case.seed).suffix[1:]], mutations[name], total):
            counts[outcome.verdict] += 1
    n_road = sum(case.is_whole_road for case, *_ in done)
    return "\n".join(
        [
            "## Damaged media",
            "",
            f"`python benchmarks/fuzz_media.py --cases {options.cases} --seed {options.seed}`  ",
            f"{time.strftime('%Y-%m-%d')}; PyAV {version('av')}; Python"
            f" {platform.python_version()}; {len(SEEDS)} seeds, {len(done)} damaged files,"
            f" {n_road} of them on to subtitles; at most {MEMORY >> 30} GiB of address space and"
            f" {PATIENCE:.0f} s a file; most memory in use: {max(peak for *_, peak in done)} MiB",
            "",
            "whole: as much sound as before the damage. noted: the same, and something was odd."
            " told: sound, and an error that says what is missing. refused: an error, no sound."
            " untold: more than 0.25 s less sound than before, and no error. traceless: the same in"
            " a form that doesn't say how much there should be (MPEG-TS, ADTS, MP3 without a count,"
            " be it that the damage took it away, or of two files joined).",
            "",
            *table({**containers, "**all**": total}),
            "",
            *table(mutations),
        ]
    )


def keep(text: str) -> None:
    begin, end = "<!-- fuzz-media: begin -->", "<!-- fuzz-media: end -->"
    old = RESULTS.read_text(encoding="utf-8")
    block = f"{begin}\n{text}\n{end}\n"
    if begin in old:
        before, _, rest = old.partition(begin)
        block = before + block + rest.partition(end + "\n")[2]
    else:
        block = f"{old.rstrip()}\n\n{block}"
    write_file(RESULTS, block.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", type=Path, help="what came of each case, as lines of JSON")
    parser.add_argument("--print", action="store_true", help="leave RESULTS.md as it is")
    parser.add_argument("--case", metavar="NAME:SEED:INDEX", help="one case, as the log names it")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        Worker(options.worker).serve()
        return
    if options.case:
        show_case(*options.case.split(":", 1))
        return
    with tempfile.TemporaryDirectory(prefix="fuzz.") as folder:
        make_seeds(Path(folder))
        done = run(list(all_cases(options.cases, options.seed)), options.jobs, Path(folder))
    if options.log:
        options.log.write_text("".join(log_line(*entry) for entry in done))
    text = report(done, options)
    print(text)
    if not options.print:
        keep(text)
    sys.exit(any(outcome.verdict in ("hang", "crash") for _, _, outcome, _ in done))


def log_line(case: Case, mutation: str, outcome: Outcome, _: int) -> str:
    entry = {"case": f"{case.seed}:{case.number}", "mutation": mutation, **vars(outcome)}
    return json.dumps(entry) + "\n"


def show_case(name: str, number: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="fuzz."))
    seeds = make_seeds(folder)
    mutation, damaged = mutate(seeds[name], seeds, number)
    path = folder / f"case{Path(name).suffix}"
    path.write_bytes(damaged)
    print(path, mutation, judge(path, hear(folder / name)[0], IS_COUNTED[name]))


if __name__ == "__main__":
    main()
