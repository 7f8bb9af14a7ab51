"""Accuracy beside faster-whisper: same files, same weights, same threads, in turn in one run.

SET is a manifest as `subvino evaluate` takes it, its folder, or a folder of such folders: then all
of them. To them come ten minutes of sound made here in which nobody speaks. Prints tables, writes
the short ones into benchmarks/RESULTS.md and pictures into docs/images/.

    pip install -e ".[base,tiny-en,evaluate,peers]"
    python benchmarks/accuracy.py SET... [--model base] [--threads 2] [--detect-language]
    python benchmarks/accuracy.py SET... --identical   # is a result the same, whatever the batch?
    python benchmarks/accuracy.py SET... --transcripts DIR --reuse-peers   # after a change of ours
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from identical import check_identical
from made_sound import make_nonspeech
from results import IMAGES, describe_run, put_section
from verdicts import Sides, Verdict, error_table, judge, verdict_table

from subvino.evaluate import (
    Engine,
    EvaluateOptions,
    Manifest,
    Report,
    SubvinoEngine,
    Table,
    draw_plots,
    evaluate,
    read_manifest,
)
from subvino.evaluate.peers import PeerOptions, load_peer
from subvino.outputs import write_file
from subvino.pipeline import EngineOptions, Transcriber, load_transcriber
from subvino.recognizer import DecodingOptions
from subvino.transcript import Transcript

PEERS = {
    "sequential-5": PeerOptions(beam_size=5),
    "batched-5": PeerOptions(beam_size=5, batch_size=8),
    "batched-1": PeerOptions(beam_size=1, batch_size=8),
}
"""How faster-whisper is run, by the name that --peers takes: mode and beam size. The first two are
what it is held against: its defaults in both modes."""
OURS = "subvino"
SIDES = Sides(OURS, "faster-whisper sequential beam 5", "faster-whisper batch 8 beam 5")
PACKAGES = ("openvino", "faster-whisper", "ctranslate2", "numpy", "jiwer", "whisper-normalizer")


@dataclass(frozen=True, slots=True)
class RecordedEngine:
    """An engine whose transcripts are kept as JSON: folder/set/engine/clip.language.json.

    reuse: whether one that is there already is taken in place of the engine's work.
    """

    engine: Engine
    folder: Path
    reuse: bool

    @property
    def name(self) -> str:
        return self.engine.name

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        folder = self.folder / _set_name(path) / self.name.replace(" ", "-")
        # faster-whisper cuts its windows elsewhere where words are asked for.
        file = folder / f"{path.stem}.{language or 'auto'}{'.words' * words}.json"
        if self.reuse and file.is_file():
            return Transcript.from_json(file.read_text(encoding="utf-8"), str(file))
        transcript = self.engine.transcribe(path, language, words=words)
        write_file(file, transcript.to_json().encode())
        return transcript


def _set_name(path: Path) -> str:
    return path.parent.parent.name if path.parent.name == "audio" else path.parent.name


def load_engines(options: argparse.Namespace, transcriber: Transcriber) -> Iterator[Engine]:
    yield SubvinoEngine(OURS, transcriber)
    if options.greedy:
        yield SubvinoEngine(f"{OURS} greedy", transcriber, DecodingOptions(beam_size=1))
    for name in filter(None, options.peers.split(",")):
        peer = replace(PEERS[name], threads=options.threads)
        yield load_peer("faster-whisper", options.model, peer)


def _recorded(engine: Engine, options: argparse.Namespace) -> Engine:
    if options.transcripts is None:
        return engine
    reuse = options.reuse_peers and not engine.name.startswith(OURS)
    return RecordedEngine(engine, options.transcripts, reuse)


def find_sets(paths: Sequence[Path]) -> list[Path]:
    """The sets themselves, and those in folders of sets."""
    return [found for path in paths for found in (_inside(path) or [path])]


def _inside(path: Path) -> list[Path]:
    if not path.is_dir() or (path / "manifest.jsonl").is_file():
        return []
    return sorted(file.parent for file in path.glob("*/manifest.jsonl"))


def read_sets(options: argparse.Namespace, known: Sequence[str], scratch: Path) -> list[Manifest]:
    """All clips whose language the model knows, and those in which nobody speaks."""
    plain = options.strip_accents.split(",")
    sets = [
        read_manifest(path, strip_accents=path.name in plain) for path in find_sets(options.sets)
    ]
    if options.made_sound:
        folder = scratch / "made_nonspeech"
        folder.mkdir()
        sets.append(make_nonspeech(folder))
    kept = [
        replace(s, clips=tuple(c for c in s.clips if not c.text or c.language in known))
        for s in sets
    ]
    return [manifest for manifest in kept if manifest.clips]


def show_progress(done: int, total: int, what: str) -> None:
    print(f"\r{done}/{total} {what:<70.70}", end="\n" if done == total else "", file=sys.stderr)


def describe(options: argparse.Namespace) -> str:
    sets = " ".join(path.name for path in options.sets)
    language = "detected" if options.detect_language else "told"
    flags = " --detect-language" * options.detect_language + " --identical" * options.identical
    command = f"python benchmarks/accuracy.py {sets} --model {options.model}"
    return describe_run(
        f"{command} --threads {options.threads}{flags}",
        PACKAGES,
        f"{options.threads} threads",
        f"language {language}",
        "texts normalised as Whisper's authors do (W: words, C: characters)",
    )


def render(title: str, options: argparse.Namespace, tables: Sequence[Table]) -> str:
    body = "\n".join(table.to_markdown() for table in tables if table.rows)
    return f"## {title} ({options.model})\n\n{describe(options)}\n{body}"


def timed_sets(sets: Sequence[Manifest]) -> list[Manifest]:
    """The sets with times of phrases; every engine is asked for words there."""
    timed = [replace(s, clips=tuple(c for c in s.clips if c.phrases)) for s in sets]
    return [
        replace(s, clips=tuple(replace(clip, words=clip.words or ()) for clip in s.clips))
        for s in timed
        if s.clips
    ]


def measure(options: argparse.Namespace, transcriber: Transcriber, sets: list[Manifest]) -> bool:
    """Run all engines, print everything, write the short tables; gives whether all lines hold."""
    engines = [_recorded(engine, options) for engine in load_engines(options, transcriber)]
    told = EvaluateOptions(tell_language=not options.detect_language)
    report = evaluate(sets, engines, told, show_progress)
    verdicts = judge(sets, report, SIDES)
    details = report.tables()
    tables = [error_table(report, SIDES), *_whole(details), *_phrases(sets, engines, told)]
    print("\n".join(table.to_markdown() for table in details))
    tables.append(verdict_table(verdicts))
    publish(options, "Accuracy", _section(options), tables, write_pictures(options, report))
    if options.json:
        write_file(options.json, report.to_json().encode())
    return all(verdict.holds for verdict in verdicts)


def _section(options: argparse.Namespace) -> str:
    language = "language-detected" if options.detect_language else "language-told"
    return f"accuracy-{options.model}-{language}"


def _whole(tables: Sequence[Table]) -> list[Table]:
    """The tables of times and inventions, without their rows for single languages."""
    kept = [table for table in tables if table.title not in ("Words", "Phrase onset")]
    return [
        replace(table, rows=tuple(row for row in table.rows if not row[0].startswith("language ")))
        for table in kept
    ]


def _phrases(
    sets: Sequence[Manifest], engines: Sequence[Engine], told: EvaluateOptions
) -> Iterator[Table]:
    """Onsets of phrases, timed by hand, by the words of every engine."""
    if timed := timed_sets(sets):
        report = evaluate(timed, engines, told, show_progress)
        (table,) = (table for table in report.tables() if table.title == "Phrase onset")
        (table,) = _whole([replace(table, title="Phrase onset, by word times")])
        yield table


def publish(
    options: argparse.Namespace,
    title: str,
    section: str,
    tables: Sequence[Table],
    pictures: Sequence[str] = (),
) -> None:
    text = "\n".join([render(title, options, tables), *pictures])
    print(text)
    if not options.no_results:
        put_section(section, text)


def write_pictures(options: argparse.Namespace, report: Report) -> list[str]:
    """Errors clip by clip, and how far onsets are off; gives the lines that show them."""
    plots = {f"{_section(options)}-{name}.png": png for name, png in draw_plots(report).items()}
    if not options.no_results:
        for name, png in plots.items():
            write_file(IMAGES / name, png)
    return [f"![{name}](../docs/images/{name})" for name in plots]


def measure_identity(
    options: argparse.Namespace, transcriber: Transcriber, sets: list[Manifest], scratch: Path
) -> bool:
    table, same = check_identical(transcriber, sets, scratch)
    verdict = Verdict("identical from run to run and for any batch size", "see above", same)
    tables = [table, verdict_table([verdict])]
    publish(options, "Identical results", f"identical-{options.model}", tables)
    return same


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEERS), help="default: %(default)s")
    parser.add_argument("--greedy", action="store_true", help="our greedy decoding as well")
    parser.add_argument("--strip-accents", default="prompts_es", metavar="SET,...")
    parser.add_argument("--detect-language", action="store_true")
    parser.add_argument("--no-made-sound", dest="made_sound", action="store_false")
    parser.add_argument("--identical", action="store_true", help="check only that results repeat")
    parser.add_argument("--no-results", action="store_true", help="print only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    parser.add_argument("--transcripts", type=Path, metavar="DIR", help="keep what was heard")
    parser.add_argument(
        "--reuse-peers", action="store_true", help="take the peers' transcripts that lie in DIR"
    )
    return parser.parse_args()


def main() -> None:
    options = read_options()
    engine = EngineOptions(device="CPU", threads=options.threads)
    transcriber = load_transcriber(options.model, engine)
    with tempfile.TemporaryDirectory(prefix="subvino-accuracy-") as name:
        sets = read_sets(options, transcriber.recognizer.languages, Path(name))
        if options.identical:
            holds = measure_identity(options, transcriber, sets, Path(name))
        else:
            holds = measure(options, transcriber, sets)
    sys.exit(not holds)


if __name__ == "__main__":
    main()
