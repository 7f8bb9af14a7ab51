"""Whether a transcript is the same from run to run and for any batch size, to the last decimal.

Every set is joined to one recording, so that there are windows enough for a batch to differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from joined import join_clips

from subvino.evaluate import Clip, Manifest, SubvinoEngine, Table
from subvino.pipeline import Transcriber
from subvino.recognizer import DecodingOptions
from subvino.transcript import Transcript

RUNS = {
    "again": DecodingOptions(),
    "batch 1": DecodingOptions(batch_size=1),
    "batch 3": DecodingOptions(batch_size=3),
    "batch 8": DecodingOptions(batch_size=8),
    "batch 32": DecodingOptions(batch_size=32),
}
"""Held against a first run with the defaults."""


def check_identical(
    transcriber: Transcriber, sets: Sequence[Manifest], scratch: Path
) -> tuple[Table, bool]:
    """How many segments of each run differ from the first one's, by set; whether none does."""
    rows, same = [], True
    for manifest in sets:
        clip = join_clips([manifest], scratch / f"{manifest.name}.wav")
        first = _run(transcriber, clip, DecodingOptions())
        found = [_differences(first, _run(transcriber, clip, options)) for options in RUNS.values()]
        same = same and not any(found)
        rows.append((manifest.name, str(len(first.segments)), *map(str, found)))
        print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
        clip.audio.unlink()
    return Table("Segments that differ", ("set, joined", "segments", *RUNS), tuple(rows)), same


def _run(transcriber: Transcriber, clip: Clip, options: DecodingOptions) -> Transcript:
    engine = SubvinoEngine("", transcriber, options)
    return replace(engine.transcribe(clip.audio, clip.language, words=True), media="")


def _differences(first: Transcript, other: Transcript) -> int:
    """Segments of either that the other does not have, with their words, times and figures."""
    ours, theirs = set(first.segments), set(other.segments)
    return max(len(ours - theirs), len(theirs - ours))
