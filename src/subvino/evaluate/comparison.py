"""Two engines on the same clips: errors and speed of each, and where their transcripts differ."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from subvino.evaluate.engines import Engine
from subvino.evaluate.manifest import Clip, Manifest
from subvino.evaluate.normalize import split_units
from subvino.evaluate.report import Report
from subvino.evaluate.run import EvaluateProgress, settle
from subvino.evaluate.score import ClipResult, Run, score, timed_words
from subvino.evaluate.timing import TimingErrors, TimingSummary, compare_times, summarize
from subvino.evaluate.wer import ErrorCounts, align
from subvino.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an engine made of a clip; seconds: that it took, each time it was run."""

    manifest: str
    clip: Clip
    engine: str
    transcript: Transcript
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which two transcripts differ, in normalised words.

    before, after: what A and what B heard; "" for nothing. said: the clip's whole reference.
    """

    manifest: str
    clip: str
    said: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What A and what B made of the same clips, clip by clip in the same order."""

    a: tuple[Hearing, ...]
    b: tuple[Hearing, ...]

    @property
    def report(self) -> Report:
        """Errors, times and speed of both, by set and by language; seconds are medians of runs."""
        pairs = zip(self.a, self.b, strict=True)
        return Report(tuple(_result(hearing) for pair in pairs for hearing in pair))

    @property
    def error_rates(self) -> tuple[float | None, float | None]:
        """Errors for each unit of the references, of A and of B; None where nobody speaks."""
        return _rate(self.a), _rate(self.b)

    @property
    def seconds(self) -> tuple[float, float]:
        """For all clips, A's and B's; of each clip the median of its runs."""
        return _seconds(self.a), _seconds(self.b)

    @property
    def duration(self) -> float:
        """Of all clips, seconds."""
        return sum(hearing.transcript.duration for hearing in self.a)

    @property
    def word_shift(self) -> TimingSummary | None:
        """How far the onsets of words that both heard lie apart; late: B's is later."""
        errors = TimingErrors()
        for one, other in zip(self.a, self.b, strict=True):
            mine, theirs = timed_words(one.transcript), timed_words(other.transcript)
            if mine is not None and theirs is not None:
                errors += compare_times(mine, theirs, one.clip.language)
        return summarize(errors.onsets, errors.n_reference)

    def differences(self) -> Iterator[Difference]:
        """Every place at which the transcripts differ."""
        for one, other in zip(self.a, self.b, strict=True):
            texts = [_heard(hearing) for hearing in (one, other)]
            for before, after in differing_parts(*texts):
                yield Difference(one.manifest, one.clip.id, one.clip.text, before, after)


def compare(
    manifests: Sequence[Manifest],
    engines: tuple[Engine, Engine],
    repeats: int = 1,
    progress: EvaluateProgress | None = None,
) -> Comparison:
    """Both engines on every clip, told its language: A B A B, `repeats` times each."""
    clips = [(manifest.name, clip) for manifest in manifests for clip in manifest.clips]
    total = len(clips) * repeats * 2
    smallest = min((clip for _, clip in clips), key=lambda clip: clip.audio.stat().st_size)
    for engine in engines:  # the first run is slower
        engine.transcribe(smallest.audio, smallest.language, words=True)
    heard: tuple[list[Hearing], list[Hearing]] = ([], [])
    for name, clip in clips:
        done = 2 * repeats * len(heard[0])
        runs: list[list[Hearing]] = [[], []]
        for i in range(2 * repeats):
            if progress is not None:
                progress(done + i, total, f"{name}/{clip.id} · {engines[i % 2].name}")
            settle()
            runs[i % 2].append(hear(engines[i % 2], name, clip))
        for side, own in zip(heard, runs, strict=True):
            side.append(replace(own[0], seconds=tuple(run.seconds[0] for run in own)))
    return Comparison(tuple(heard[0]), tuple(heard[1]))


def hear(engine: Engine, manifest: str, clip: Clip) -> Hearing:
    """Run an engine on a clip once."""
    begin = time.perf_counter()
    transcript = engine.transcribe(clip.audio, clip.language, words=True)
    seconds = time.perf_counter() - begin
    return Hearing(manifest, clip, engine.name, transcript, (seconds,))


def differing_parts(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The stretches in which two sequences of words differ.

    >>> list(differing_parts("a b c d".split(), "a x c".split()))
    [('b', 'x'), ('d', '')]
    """
    lost: list[str] = []
    won: list[str] = []
    for edit in align(before, after):
        if edit.kind == "equal":
            if lost or won:
                yield " ".join(lost), " ".join(won)
            lost, won = [], []
            continue
        if edit.kind != "insert":
            lost.append(before[edit.reference])
        if edit.kind != "delete":
            won.append(after[edit.heard])
    if lost or won:
        yield " ".join(lost), " ".join(won)


def _heard(hearing: Hearing) -> list[str]:
    return split_units(hearing.transcript.text, hearing.clip.language)


def _result(hearing: Hearing) -> ClipResult:
    run = Run(
        hearing.manifest,
        hearing.engine,
        hearing.transcript,
        median(hearing.seconds),
        told_language=True,
    )
    return score(hearing.clip, run)


def _rate(hearings: Sequence[Hearing]) -> float | None:
    counts = (result.errors for result in map(_result, hearings))
    return sum((count for count in counts if count is not None), ErrorCounts()).rate


def _seconds(hearings: Sequence[Hearing]) -> float:
    return sum(median(hearing.seconds) for hearing in hearings)
