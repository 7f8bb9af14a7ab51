"""The floor: what the model's arithmetic and bytes take at this machine's peaks, beside our time.

Peaks are measured through OpenVINO itself: large matrix products in f32, bf16 and int8, and copies
in memory. The arithmetic is that of the encoder, of the keys and values of cross-attention, and of
the decoder for the tokens that were written, one row a window. What is not the model's (decoding
the media, finding speech, log-mel, cues, loading), what a search with beams tries beside the text,
and word times count as nothing, so that no engine reaches it.

    pip install -e ".[base,tiny-en,evaluate]"
    python benchmarks/floor.py SET... [--model base] [--threads 2] [--minutes 10] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from arithmetic import Decoding, Work, cross_work, decoder_work, encoder_work
from contenders import own_command
from peaks import Peaks, Precision, measure_peaks
from recording import make_recording, media_seconds, read_sets
from results import describe_run, put_section
from speed import make_setup
from trials import run_in_turn
from verdicts import Verdict, verdict_table

from subvino.evaluate import Clip, Table
from subvino.pipeline import EngineOptions, Transcriber, load_transcriber
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.whisper import WhisperRecognizer

WANTED = 60.0
"""Per cent of the floor."""
BEAMS = {"subvino": DecodingOptions().beam_size, "subvino greedy": 1}
FROM_FILE = "file to SRT"
PROMPT = 3
"""Tokens before the text: start, language, task."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run found: windows, tokens a window, and seconds with the model loaded."""

    windows: int
    tokens: float
    seconds: float


def hear(transcriber: Transcriber, media: Path, options: DecodingOptions) -> Heard:
    begin = time.perf_counter()
    results = list(transcriber.open(media, options))
    seconds = time.perf_counter() - begin
    recognizer = whisper(transcriber)
    tokens = sum(count_tokens(recognizer, result) for result in results)
    return Heard(len(results), tokens / len(results), seconds)


def whisper(transcriber: Transcriber) -> WhisperRecognizer:
    recognizer = transcriber.recognizer
    assert isinstance(recognizer, WhisperRecognizer)
    return recognizer


def count_tokens(recognizer: WhisperRecognizer, result: WindowResult) -> int:
    """Those of the window's text, two timestamps a segment, the prompt and the end."""
    text = sum(len(recognizer.tokenizer.encode(f" {s.text}")) for s in result.segments)
    return text + 2 * len(result.segments) + PROMPT + 1


# --- the floor ----------------------------------------------------------------------------------


def least_seconds(work: Work, peaks: Peaks, linear: Precision, other: Precision) -> float:
    """Whichever takes longer, the arithmetic or the bytes; both at once, each at its peak."""
    arithmetic = work.linear / peaks.flops[linear] + work.attention / peaks.flops[other]
    return max(arithmetic, work.bytes_read / peaks.bandwidth)


def window_work(recognizer: WhisperRecognizer, heard: Heard) -> dict[str, Work]:
    sizes = recognizer.engine.dimensions
    decoding = Decoding(heard.tokens, recognizer.engine.default_batch_size, beams=1)
    return {
        "encoder": encoder_work(sizes),
        "cross keys and values": cross_work(sizes),
        "decoder": decoder_work(sizes, decoding),
    }


def window_table(name: str, parts: dict[str, Work], peaks: Peaks) -> Table:
    head = ("part", "GFLOP", "of it attention", "MB", *(f"ms, {p}" for p in CHOICES))
    rows = [
        (
            part,
            f"{(work.linear + work.attention) / 1e9:.1f}",
            f"{work.attention / 1e9:.1f}",
            f"{work.bytes_read / 1e6:.0f}",
            *(f"{1000 * least_seconds(work, peaks, *CHOICES[choice]):.0f}" for choice in CHOICES),
        )
        for part, work in parts.items()
    ]
    return Table(f"One window, {name}", head, tuple(rows))


CHOICES: dict[str, tuple[Precision, Precision]] = {
    "f32": ("f32", "f32"),
    "bf16": ("bf16", "bf16"),
    "int8 linears": ("int8", "bf16"),
}
"""In what the products with weights are computed, and the rest."""


def peak_table(peaks: Peaks) -> Table:
    rows: list[tuple[str, ...]] = [
        (str(name), f"{flops / 1e9:.0f} GFLOP/s", peaks.kernels[name])
        for name, flops in peaks.flops.items()
    ]
    rows.append(("copy", f"{peaks.bandwidth / 1e9:.1f} GB/s", "numpy.copyto"))
    return Table("Peaks", ("what", "peak", "kernel"), tuple(rows))


# --- beside our time ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """One of our ways of decoding: the work it had, and the seconds it took, by what is timed."""

    name: str
    heard: Heard
    parts: dict[str, Work]
    seconds: dict[str, float]


def measure(options: argparse.Namespace, folder: Path) -> str:
    clip = make_recording(read_sets(options.sets, ""), options.minutes, folder)
    setup = make_setup(options, clip.language)
    extra = {"subvino": (), "subvino greedy": ("--beam-size", "1")}
    commands = {name: own_command(setup, *more) for name, more in extra.items()}
    outcomes = run_in_turn(commands, clip.audio, options.rounds, options.threads)
    engine = EngineOptions(device="CPU", threads=options.threads)
    transcriber = load_transcriber(options.model, engine)
    compared = [compare(transcriber, clip, name, outcomes[name].seconds) for name in commands]
    peaks = measure_peaks(options.threads)
    tables = [
        peak_table(peaks),
        *(window_table(item.name, item.parts, peaks) for item in compared),
        time_table(compared, peaks),
        verdict_table([judge(item, peaks) for item in compared]),
    ]
    body = "\n".join(table.to_markdown() for table in tables)
    return f"{media_seconds(clip.audio) / 60:.1f} minutes of speech\n\n{body}"


def compare(transcriber: Transcriber, clip: Clip, name: str, seconds: float) -> Compared:
    decoding = DecodingOptions(language=clip.language, beam_size=BEAMS[name])
    heard = hear(transcriber, clip.audio, decoding)
    parts = window_work(whisper(transcriber), heard)
    return Compared(name, heard, parts, {FROM_FILE: seconds, "model loaded": heard.seconds})


def time_table(compared: Sequence[Compared], peaks: Peaks) -> Table:
    floors = (f"floor s, {choice}" for choice in CHOICES)
    shares = (f"% of it, {choice}" for choice in CHOICES)
    head = ("decoding", "time", "windows", "tokens a window", "s", *floors, *shares)
    rows = tuple(row for item in compared for row in time_rows(item, peaks))
    return Table("Beside our time", head, rows)


def time_rows(item: Compared, peaks: Peaks) -> Iterator[tuple[str, ...]]:
    floors = [floor_seconds(item, peaks, choice) for choice in CHOICES]
    heard = (str(item.heard.windows), f"{item.heard.tokens:.0f}")
    for what, seconds in item.seconds.items():
        shares = (f"{100 * floor / seconds:.0f}" for floor in floors)
        least = (f"{floor:.1f}" for floor in floors)
        yield (item.name, what, *heard, f"{seconds:.1f}", *least, *shares)


def floor_seconds(item: Compared, peaks: Peaks, choice: str) -> float:
    linear, other = CHOICES[choice]
    window = sum(least_seconds(work, peaks, linear, other) for work in item.parts.values())
    return item.heard.windows * window


def judge(item: Compared, peaks: Peaks) -> Verdict:
    """By the faster of the floats: a processor without bf16 computes in f32."""
    floors = {choice: floor_seconds(item, peaks, choice) for choice in ("f32", "bf16")}
    choice = min(floors, key=floors.__getitem__)
    share = 100 * floors[choice] / item.seconds[FROM_FILE]
    line = f"{item.name}, {FROM_FILE}: at least {WANTED:.0f} % of the floor in {choice}"
    return Verdict(line, f"{share:.0f} %", share >= WANTED)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-results", action="store_true", help="print only")
    options = parser.parse_args()
    options.optimum = None
    return options


def main() -> None:
    options = read_options()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="subvino-floor-") as name:
        body = measure(options, Path(name))
    command = " ".join(["python benchmarks/floor.py", *(path.name for path in options.sets)])
    command += f" --model {options.model} --threads {options.threads}"
    command += f" --minutes {options.minutes:g} --rounds {options.rounds}"
    threads = f"{options.threads} threads"
    facts = describe_run(command, ("openvino",), threads, f"load of the machine before: {load:.2f}")
    text = f"## Floor ({options.model})\n\n{facts}\n{body}"
    print(text)
    if not options.no_results:
        put_section(f"floor-{options.model}", text)


if __name__ == "__main__":
    main()
