"""Which language is spoken, from the logits right after the start token.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from subvino.audio import WindowSound
from subvino.features import log_mel
from subvino.tokenizer import Tokenizer
from subvino.whisper.slots import FLOAT32, RowRules, SlotEngine

VOTES = 6
"""Windows at the start of a file that are asked for its language."""

SURE = 0.9
"""What a language detected from a single window takes to be believed; below, that window's text is
written down in the next likeliest languages too, and the likeliest text tells."""

_MAX_RIVALS = 2
_LEAST = 0.02  # of a language that is tried

STAY = 0.35
"""How much likelier another language must be than the last window's before it is believed: a
single doubtful window does not change the language of a file."""


def detect_language(
    engine: SlotEngine, tokenizer: Tokenizer, sounds: Iterable[WindowSound]
) -> Mapping[str, float]:
    """Language code → probability, over all the windows, likeliest first; no text is decoded."""
    slots = engine.new_slots(1, 1)
    probabilities, weights = [], []
    for sound in sounds:
        slots.enter(0, engine.hear(log_mel(sound.samples, engine.dimensions.n_mels)))
        slots.restart(0)
        slots.step(np.array([[tokenizer.sot]], np.int32), np.zeros((1, 1), np.int32))
        engine.choose(_anything(1), 1)
        probabilities.append(language_probabilities(tokenizer, engine.logits[:, 0])[0])
        weights.append(max(len(sound.samples), 1))
    return vote(tokenizer, np.array(probabilities, np.float32), weights)


def language_probabilities(tokenizer: Tokenizer, scores: FLOAT32) -> FLOAT32:
    """Scores right after the start token (windows, n_vocab) → (windows, languages)."""
    chosen = scores[:, list(tokenizer.language_ids.values())]
    # Row by row in memory, so that a row's sum does not depend on how many there are.
    return softmax(np.ascontiguousarray(chosen))


def vote(
    tokenizer: Tokenizer, probabilities: FLOAT32, weights: Sequence[float]
) -> Mapping[str, float]:
    """The windows' mean, long windows counting more: code → probability, likeliest first."""
    if not weights:
        return {}
    mean = np.average(probabilities, axis=0, weights=weights)
    return {tokenizer.languages[i]: float(mean[i]) for i in np.argsort(-mean, kind="stable")}


def likeliest(probabilities: Mapping[str, float], last: str | None) -> tuple[str, float]:
    """The language of a window, given that of the window before."""
    code, probability = next(iter(probabilities.items()))
    if last is not None and probability < probabilities[last] + STAY:
        return last, probabilities[last]
    return code, probability


def rivals(probabilities: Mapping[str, float]) -> list[tuple[str, float]]:
    """The next likeliest languages, where one window is not enough to be sure of the first."""
    (_, best), *others = probabilities.items()
    likely = [one for one in others[:_MAX_RIVALS] if one[1] >= _LEAST]
    return likely if best < SURE else []


def softmax(scores: FLOAT32) -> FLOAT32:
    """Along the second axis."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: FLOAT32 = weights / weights.sum(axis=1, keepdims=True)
    return result


def _anything(n_rows: int) -> RowRules:
    """Rules that forbid nothing."""
    zeros, ones = np.zeros(n_rows, np.float32), np.ones(n_rows, np.float32)
    return RowRules(zeros, zeros, ones, zeros, ones, np.zeros((1, 1), np.float32))
