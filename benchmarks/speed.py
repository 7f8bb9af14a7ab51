"""Speed beside every peer: same sound, same weights, same threads, from a media file to SRT.

Each engine runs as a process of its own, in turn with the others, decoding of the media, search
for speech and loading of the model included. Beside each time stands the word error rate: a fast
wrong answer is no answer. SET is a manifest as `subvino evaluate` takes it, or its folder; the
clips of all sets, in one language, are joined to one recording.

    pip install -e ".[base,tiny-en,evaluate,peers]"
    python benchmarks/speed.py SET... [--model base] [--threads 2] [--minutes 10] [--rounds 5]
        [--clip FILE]        # a short clip, to measure the start by
        [--optimum PYTHON]   # of an environment made as converters/optimum_export.py says; without
                             # it openvino-genai runs only if its weights are there already
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from contenders import HERE, MAKERS, OURS, Contender, Setup, load_contenders, own_command
from recording import make_recording, media_seconds, read_sets
from results import describe_run, put_section
from trials import Outcome, count_word_errors, run_in_turn
from verdicts import Verdict, verdict_table

from subvino.evaluate import Clip, Manifest, Table
from subvino.evaluate.peers import ctranslate2_folder

BATCHED, DEFAULT = "faster-whisper int8 greedy batch 8", "faster-whisper int8 beam 5"
GENAI = "openvino-genai int8"
WANTED = {BATCHED: 3.0, GENAI: 3.0, DEFAULT: 6.0}
"""How many times as fast as each of these we have to be."""
SHORTEST = "faster-whisper's shortest script"
MAX_START = 2.5
"""Seconds for an eleven-second clip, from the shell."""
PACKAGES = ("openvino", "faster-whisper", "ctranslate2", "openvino-genai", "pywhispercpp")


# --- tables -------------------------------------------------------------------------------------


def speed_table(outcomes: Mapping[str, Outcome], clip: Clip, seconds: float) -> Table:
    """Medians, and how many times as long each takes as we do."""
    head = (
        "engine",
        "s",
        "min-max s",
        "x real time",
        "core s",
        "peak MiB",
        "error %",
        "sub/del/ins",
    )
    ours = [name for name in OURS if name in outcomes]
    rows = []
    for name, outcome in outcomes.items():
        errors = count_word_errors(clip, outcome.trials[-1].text or "")
        edits = f"{errors.substitutions}/{errors.deletions}/{errors.insertions}"
        cells = (f"{outcome.seconds:.1f}", outcome.spread, f"{seconds / outcome.seconds:.1f}")
        used = (f"{outcome.cpu:.1f}", f"{outcome.peak_mib:.0f}")
        ratios = (f"{outcome.seconds / outcomes[our].seconds:.2f}" for our in ours)
        rows.append((name, *cells, *used, f"{100 * (errors.rate or 0):.2f}", edits, *ratios))
    return Table("From file to SRT", (*head, *(f"/ {name}" for name in ours)), tuple(rows))


def start_table(outcomes: Mapping[str, Outcome]) -> Table:
    rows = tuple(
        (name, f"{outcome.seconds:.2f}", f"{outcome.cpu:.2f}", f"{outcome.peak_mib:.0f}")
        for name, outcome in outcomes.items()
    )
    return Table("A short clip from the shell", ("engine", "s", "core s", "peak MiB"), rows)


def size_table(contenders: Sequence[Contender]) -> Table:
    """One row an engine, whatever its modes: what it installs and the weights it reads."""
    rows = []
    for package, contender in {c.package: c for c in contenders}.items():
        command = [str(contender.python), str(HERE / "installed_size.py"), package]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        facts = json.loads(found)[package]
        weights = _n_bytes(contender.weights) / 2**20
        rows.append((f"{package} {facts['version']}", f"{facts['mib']:.0f}", f"{weights:.0f}"))
    return Table("Size", ("package", "with what it needs, MiB", "weights, MiB"), tuple(rows))


def _n_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def judge(outcomes: Mapping[str, Outcome], clip: Clip) -> list[Verdict]:
    """The wanted ratios, for each of our ways of decoding; a rate above the peer's fails."""
    rates = {
        name: count_word_errors(clip, outcome.trials[-1].text or "").rate or 0.0
        for name, outcome in outcomes.items()
    }
    verdicts = []
    for our in (name for name in OURS if name in outcomes):
        for peer, wanted in WANTED.items():
            if peer in outcomes:
                ratio = outcomes[peer].seconds / outcomes[our].seconds
                found = f"{ratio:.2f}x, {100 * rates[our]:.2f} % against {100 * rates[peer]:.2f} %"
                line = f"{our}: {wanted:g}x {peer}, at an error rate not above its"
                verdicts.append(Verdict(line, found, ratio >= wanted and rates[our] <= rates[peer]))
    return verdicts


def judge_start(outcomes: Mapping[str, Outcome]) -> list[Verdict]:
    ours, peer = outcomes[OURS[0]].seconds, outcomes[SHORTEST].seconds
    line = f"a short clip: under {MAX_START} s, and less than {SHORTEST}"
    return [Verdict(line, f"{ours:.2f} s against {peer:.2f} s", ours < min(MAX_START, peer))]


# --- runs ---------------------------------------------------------------------------------------


def measure_speed(options: argparse.Namespace, sets: Sequence[Manifest], folder: Path) -> str:
    clip = make_recording(sets, options.minutes, folder)
    setup = make_setup(options, clip.language)
    contenders = load_contenders(options.engines.split(","), setup)
    commands = {contender.name: contender.command for contender in contenders}
    outcomes = run_in_turn(commands, clip.audio, options.rounds, options.threads)
    tables = [speed_table(outcomes, clip, media_seconds(clip.audio)), size_table(contenders)]
    verdicts = judge(outcomes, clip)
    if options.clip:
        starts = measure_start(options)
        tables.append(start_table(starts))
        verdicts += judge_start(starts) if starts.keys() >= {OURS[0], SHORTEST} else []
    return render([*tables, verdict_table(verdicts)])


def render(tables: Sequence[Table]) -> str:
    return "\n".join(table.to_markdown() for table in tables)


def make_setup(options: argparse.Namespace, language: str | None) -> Setup:
    told = None if options.model.endswith(".en") else language
    return Setup(options.model, options.threads, told, options.optimum)


def measure_start(options: argparse.Namespace) -> dict[str, Outcome]:
    """As a user would type it: nothing is told but the model."""
    setup = make_setup(options, None)
    script = str(HERE / "engines" / "faster_whisper_shortest.py")
    commands = {
        OURS[0]: own_command(setup),
        OURS[1]: own_command(setup, "--beam-size", "1"),
        SHORTEST: (sys.executable, script, "MEDIA", str(ctranslate2_folder(options.model))),
    }
    return run_in_turn(commands, options.clip, max(options.rounds, 3), options.threads)


def describe(options: argparse.Namespace, load: float) -> str:
    command = " ".join(["python benchmarks/speed.py", *(path.name for path in options.sets)])
    return describe_run(
        f"{command} --model {options.model} --threads {options.threads}"
        f" --minutes {options.minutes:g} --rounds {options.rounds}{describe_peers(options)}",
        PACKAGES,
        f"{options.threads} threads on {options.threads} of {os.cpu_count()} cores",
        f"medians of {options.rounds} runs in turn, after one that is not counted",
        f"load of the machine before: {load:.2f}",
    )


def describe_peers(options: argparse.Namespace) -> str:
    engines = "" if options.engines == ",".join(MAKERS) else f" --engines {options.engines}"
    clip = f" --clip {options.clip.name}" if options.clip else ""
    return engines + clip + (" --optimum PYTHON" if options.optimum else "")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engines", default=",".join(MAKERS), help="default: %(default)s")
    parser.add_argument("--clip", type=Path, metavar="FILE", help="short, to measure the start by")
    parser.add_argument("--optimum", type=Path, metavar="PYTHON", help="with Optimum-Intel")
    parser.add_argument("--strip-accents", default="prompts_es", metavar="SET,...")
    parser.add_argument("--no-results", action="store_true", help="print only")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    sets = read_sets(options.sets, options.strip_accents)
    load = os.getloadavg()[0]
    names = "-".join(path.name for path in options.sets)
    with tempfile.TemporaryDirectory(prefix="subvino-speed-") as folder:
        body = measure_speed(options, sets, Path(folder))
    text = f"## Speed ({options.model})\n\n{describe(options, load)}\n{body}"
    print(text)
    if not options.no_results:
        put_section(f"speed-{options.model}-{names}", text)


if __name__ == "__main__":
    main()
