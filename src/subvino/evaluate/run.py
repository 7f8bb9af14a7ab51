"""Engines over clips: every engine on the same file before the next file, each timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from subvino.errors import OptionError
from subvino.evaluate.engines import Engine
from subvino.evaluate.manifest import Clip, Manifest
from subvino.evaluate.normalize import split_units
from subvino.evaluate.report import Report
from subvino.evaluate.score import ClipResult, Run, score
from subvino.evaluate.wer import align

EvaluateProgress = Callable[[int, int, str], None]
"""Called with the runs done, their number, and what comes next."""

_SETTLE = 0.25
"""Seconds between the runs of two engines: a thread pool of OpenMP spins on for 200 ms after its
work (KMP_BLOCKTIME), which would be taken from the next engine's cores."""


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """tell_language: engines are told the clip's language, where it is known."""

    tell_language: bool = False


def evaluate(
    manifests: Sequence[Manifest],
    engines: Sequence[Engine],
    options: EvaluateOptions | None = None,
    progress: EvaluateProgress | None = None,
) -> Report:
    """What every engine makes of every clip, file by file in turn (A B, A B, ...).

    Raises whatever an engine does about a file.
    """
    options = options or EvaluateOptions()
    _check(manifests, engines)
    _warm_up(manifests, engines)
    total = sum(len(manifest.clips) for manifest in manifests) * len(engines)
    results: list[ClipResult] = []
    for manifest, clip, engine in _runs(manifests, engines):
        if progress is not None:
            progress(len(results), total, f"{manifest.name}/{clip.id} · {engine.name}")
        if len(engines) > 1:
            settle()
        results.append(score(clip, _run(manifest, clip, engine, options)))
    if progress is not None:
        progress(total, total, "done")
    return Report(tuple(results))


def settle() -> None:
    """Let the threads of the engine before come to rest."""
    time.sleep(_SETTLE)


def _check(manifests: Sequence[Manifest], engines: Sequence[Engine]) -> None:
    for kind, names in (
        ("manifests", [manifest.name for manifest in manifests]),
        ("engines", [engine.name for engine in engines]),
    ):
        if not names:
            raise OptionError(f"no {kind} to evaluate; give at least one")
        if len(set(names)) < len(names):
            raise OptionError(f"two {kind} share a name: {', '.join(names)}; rename one")
    # A missing extra is to be known before the long work.
    list(align(split_units("", None), ()))


def _warm_up(manifests: Sequence[Manifest], engines: Sequence[Engine]) -> None:
    """One run that does not count, on the smallest file: the first one is slower."""
    clips = [clip for manifest in manifests for clip in manifest.clips]
    smallest = min(clips, key=lambda clip: clip.audio.stat().st_size)
    for engine in engines:
        engine.transcribe(smallest.audio, None, words=any(clip.words for clip in clips))


def _runs(
    manifests: Sequence[Manifest], engines: Sequence[Engine]
) -> Iterator[tuple[Manifest, Clip, Engine]]:
    for manifest in manifests:
        for clip in manifest.clips:
            for engine in engines:
                yield manifest, clip, engine


def _run(manifest: Manifest, clip: Clip, engine: Engine, options: EvaluateOptions) -> Run:
    language = clip.language if options.tell_language else None
    begin = time.perf_counter()
    transcript = engine.transcribe(clip.audio, language, words=clip.words is not None)
    seconds = time.perf_counter() - begin
    return Run(manifest.name, engine.name, transcript, seconds, language is not None)
