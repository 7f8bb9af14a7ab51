"""Makes the clips that `subvino quantize` calibrates and checks with, from sets of free speech.

    python scripts/make_speech_clips.py FOLDER

FOLDER holds the sets named in CHOICE, each with a manifest.jsonl (`id`, `audio`, `text`, `lang`,
`words`, `duration`). What is written to src/subvino/data/speech/ is described there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import av

TARGET = Path(__file__).parents[1] / "src" / "subvino" / "data" / "speech"
BIT_RATE = 24_000
"""Of Opus: whisper-base makes no more errors on these clips than on the originals."""

CHOICE = {
    "calibrate": {
        "libri_clips_train": 12,
        "kerstin_de": 6,
        "word_timings": 6,
        "prompts_it": 5,
        "prompts_ru": 5,
    },
    "evaluate": {
        "vctk_clips": 20,
        "librispeech_test_other": 8,
        "word_timings": 16,
        "kerstin_de": 7,
        "prompts_it": 5,
        "prompts_ru": 5,
    },
}
"""How many clips of each set, taken evenly over its speakers; none is in both lists."""
LONGEST = 16.0
SHORTEST = 1.8


def main() -> None:
    folder = Path(sys.argv[1])
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.glob("*.opus"):
        old.unlink()
    taken: set[str] = set()
    for purpose, sets in CHOICE.items():
        rows = []
        for name, count in sets.items():
            chosen = choose(folder / name, count, taken)
            taken |= {row["id"] for row in chosen}
            rows += [convert(folder / name, row) for row in chosen]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path = TARGET / f"{purpose}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def choose(folder: Path, count: int, taken: set[str]) -> list[dict[str, Any]]:
    """Clips of middling length, every speaker in turn."""
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["id"] not in taken]
    rows = [row for row in rows if SHORTEST <= row["duration"] <= LONGEST]
    rows = [row for row in rows if not row.get("has_digits")]
    speakers: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        speakers.setdefault(row["speaker"], []).append(row)
    found: list[dict[str, Any]] = []
    per_speaker = -(-count // len(speakers))
    for own in speakers.values():
        step = max(1, len(own) // per_speaker)
        found += own[::step][:per_speaker]
    return found[:count]


def convert(folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    name = f"{row['id']}.opus"
    encode(folder / row["audio"], TARGET / name)
    kept = {"id": row["id"], "audio": name, "text": row["text"], "lang": row["lang"]}
    return kept | ({"words": row["words"]} if "words" in row else {})


def encode(source: Path, target: Path) -> None:
    options = {"application": "audio", "vbr": "on", "frame_duration": "40"}
    with av.open(str(source)) as read, av.open(str(target), "w", format="ogg") as written:
        stream = written.add_stream("libopus", rate=16_000, options=options)
        stream.bit_rate = BIT_RATE
        stream.layout = "mono"
        for frame in read.decode(audio=0):
            frame.pts = None
            written.mux(stream.encode(frame))
        written.mux(stream.encode(None))


if __name__ == "__main__":
    main()
