"""Encoder and decoder timed by themselves, engines in turn: A B A B."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from subvino.evaluate.run import EvaluateProgress
from subvino.whisper.slots import FLOAT32, RowRules, SlotEngine, Slots

_WINDOW_FRAMES = 3000


@dataclass(frozen=True, slots=True)
class PartOptions:
    """How often each part is run, and with how many windows at once a step is decoded."""

    encoder_runs: int = 7
    steps: int = 24
    windows: tuple[int, ...] = (1, 8)


@dataclass(frozen=True, slots=True)
class PartTimes:
    """One engine's times, in milliseconds.

    encoder: of a window, all runs. steps: by the number of windows, of a step with the choice of
    its tokens, all runs.
    """

    encoder: tuple[float, ...]
    steps: dict[int, tuple[float, ...]]

    @property
    def encoder_ms(self) -> float:
        """The median."""
        return median(self.encoder)

    def step_ms(self, n_windows: int) -> float:
        """The median of a step with so many windows."""
        return median(self.steps[n_windows])


def time_parts(
    engines: Sequence[SlotEngine],
    options: PartOptions | None = None,
    progress: EvaluateProgress | None = None,
) -> list[PartTimes]:
    """The parts' times of each engine; greedy, one hypothesis a window.

    What is in the windows and the tokens makes no difference to the time: noise does.
    """
    options = options or PartOptions()
    mels = [_noise(engine.dimensions.n_mels) for engine in engines]
    if progress is not None:
        progress(0, 1 + len(options.windows), "encoder")
    slots = [engine.new_slots(max(options.windows), 1) for engine in engines]
    encoders: list[Callable[[int], object]] = [
        lambda _, own=own, engine=engine, mel=mel: own.enter(0, engine.hear(mel))  # type: ignore[misc]
        for own, engine, mel in zip(slots, engines, mels, strict=True)
    ]
    encoded = interleave(encoders, options.encoder_runs)
    for own, engine, mel in zip(slots, engines, mels, strict=True):
        heard = engine.hear(mel)
        for slot in range(1, max(options.windows)):
            own.enter(slot, heard)
    steps: list[dict[int, tuple[float, ...]]] = [{} for _ in engines]
    for done, n_windows in enumerate(options.windows, start=1):
        if progress is not None:
            progress(done, 1 + len(options.windows), f"decoder, {n_windows} windows")
        runs = [_step(*pair, n_windows) for pair in zip(engines, slots, strict=True)]
        for own_steps, times in zip(steps, interleave(runs, options.steps), strict=True):
            own_steps[n_windows] = times
    return [PartTimes(*pair) for pair in zip(encoded, steps, strict=True)]


def interleave(runs: Sequence[Callable[[int], object]], repeats: int) -> list[tuple[float, ...]]:
    """Milliseconds of each function's calls, all in turn; the first round does not count.

    Each is called with the number of the round.
    """
    times: list[list[float]] = [[] for _ in runs]
    for i in range(repeats + 1):
        for own, run in zip(times, runs, strict=True):
            begin = time.perf_counter()
            run(i)
            own.append(1000 * (time.perf_counter() - begin))
    return [tuple(own[1:]) for own in times]


def _step(engine: SlotEngine, slots: Slots, n_windows: int) -> Callable[[int], object]:
    for slot in range(n_windows):
        slots.restart(slot)
    rules = _free_choice(engine, n_windows)

    def run(i: int) -> None:
        tokens = np.full((n_windows, 1), engine.vocabulary.eot - 1, np.int32)
        slots.step(tokens, np.full((n_windows, 1), i, np.int32))
        engine.choose(rules, 1)

    return run


def _free_choice(engine: SlotEngine, n_rows: int) -> RowRules:
    """Rules that forbid nothing, greedy."""
    zeros, ones = np.zeros(n_rows, np.float32), np.ones(n_rows, np.float32)
    latest = ones * engine.vocabulary.n_timestamps
    return RowRules(zeros, zeros, zeros, latest, ones, np.zeros((1, 1), np.float32))


def _noise(n_mels: int) -> FLOAT32:
    rng = np.random.default_rng(0)
    noise: FLOAT32 = 0.3 * rng.standard_normal((n_mels, _WINDOW_FRAMES), dtype=np.float32)
    return noise
