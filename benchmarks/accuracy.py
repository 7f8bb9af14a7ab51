"""Accuracy beside faster-whisper: same files, same weights, same threads, in turn in one run.

Prints tables and writes them into benchmarks/RESULTS.md. SET is a manifest as `subvino evaluate`
takes it, or its folder.

    pip install -e ".[base,evaluate,peers]"
    python benchmarks/accuracy.py SET... [--threads N] [--model base] [--detect-language]
"""

import argparse
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from subvino.evaluate import (
    Engine,
    EvaluateOptions,
    Report,
    SubvinoEngine,
    evaluate,
    read_manifest,
)
from subvino.evaluate.peers import PeerOptions, load_peer
from subvino.outputs import write_file
from subvino.pipeline import EngineOptions, load_transcriber

RESULTS = Path(__file__).with_name("RESULTS.md")
PEERS = {
    "sequential-5": PeerOptions(beam_size=5),
    "sequential-1": PeerOptions(beam_size=1),
    "batched-5": PeerOptions(beam_size=5, batch_size=8),
}
"""How faster-whisper is run, by the name that --peers takes: mode and beam size."""


def load_engines(options: argparse.Namespace) -> list[Engine]:
    engine = EngineOptions(device="CPU", threads=options.threads)
    ours = SubvinoEngine("subvino", load_transcriber(options.model, engine))
    peers = [PEERS[name] for name in options.peers.split(",") if name]
    settings = [PeerOptions(options.threads, peer.beam_size, peer.batch_size) for peer in peers]
    return [ours, *(load_peer("faster-whisper", options.model, setting) for setting in settings)]


def show_progress(done: int, total: int, what: str) -> None:
    print(f"\r{done}/{total} {what:<70.70}", end="\n" if done == total else "", file=sys.stderr)


def describe_run(options: argparse.Namespace) -> str:
    """What the figures hold for: command, versions, machine."""
    packages = ("openvino", "faster-whisper", "ctranslate2")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    language = "detected" if options.detect_language else "told"
    sets = " ".join(path.name for path in options.sets)
    return (
        f"`python benchmarks/accuracy.py {sets} --model {options.model}"
        f" --threads {options.threads}`  \n"
        f"{time.strftime('%Y-%m-%d')}; {versions}; Python {platform.python_version()};"
        f" {cpu_name()}, {options.threads} threads; language {language};"
        " texts normalised as Whisper's authors do (W: words, C: characters)\n"
    )


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def put_section(path: Path, name: str, text: str) -> None:
    """Replace what stands between the section's marks in a file, or add it at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text(encoding="utf-8") if path.is_file() else "# Results\n"
    before, _, rest = old.partition(begin)
    after = rest.partition(end)[2] if rest else "\n"
    section = f"{begin}\n{text.strip()}\n{end}"
    write_file(path, f"{before.rstrip()}\n\n{section}{after.rstrip()}\n".encode())


def render(report: Report, options: argparse.Namespace) -> str:
    tables = "\n".join(table.to_markdown() for table in report.tables())
    return f"## Accuracy ({options.model})\n\n{describe_run(options)}\n{tables}"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEERS), help="default: %(default)s")
    parser.add_argument("--strip-accents", default="", metavar="SET,...")
    parser.add_argument("--detect-language", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    plain = options.strip_accents.split(",")
    sets = [read_manifest(path, strip_accents=path.name in plain) for path in options.sets]
    engines = load_engines(options)
    told = EvaluateOptions(tell_language=not options.detect_language)
    report = evaluate(sets, engines, told, show_progress)
    text = render(report, options)
    print(text)
    if options.json:
        write_file(options.json, report.to_json().encode())
    language = "language-detected" if options.detect_language else "language-told"
    put_section(RESULTS, f"accuracy-{options.model}-{language}", text)


if __name__ == "__main__":
    main()
