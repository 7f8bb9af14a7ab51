"""The graph that chooses tokens, against openai/whisper's rules written out in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest
from openvino import opset15 as op

from subvino.graphs.head import FORBIDDEN, Vocabulary, add_chooser
from subvino.graphs.layers import parameter, result

Floats = npt.NDArray[np.float32]

VOCABULARY = Vocabulary(n_vocab=60, eot=30, timestamp_begin=40, suppressed=(3, 4, 35))


def compile_chooser(n_best: int) -> ov.CompiledModel:
    """A chooser whose head passes logits through."""
    logits = parameter("hidden", [-1, -1, VOCABULARY.n_vocab])
    through = result("logits", op.add(logits, op.constant(np.float32(0))).output(0))
    head = ov.Model([through.get_node()], [logits.get_node()], "head")
    graph = add_chooser(head, VOCABULARY, n_best)
    return ov.Core().compile_model(graph, "CPU", {"EXECUTION_MODE_HINT": "ACCURACY"})


def chosen(logits: Floats, n_best: int = 1, **rules: float) -> tuple[list[int], list[float]]:
    """Tokens and log-probabilities for one row of logits."""
    chooser = compile_chooser(n_best)
    values = {"text": 0, "end": 0, "earliest": 1, "latest": 0} | {"sharpness": 1}
    inputs = {name: np.full((1, 1), value, np.float32) for name, value in (values | rules).items()}
    noise = np.zeros((1, 1), np.float32)
    results = chooser({"hidden": logits[None, None], "noise": noise, **inputs})
    return results["tokens"][0].tolist(), results["logprobs"][0].tolist()


def log_softmax(scores: Floats) -> Floats:
    peak = scores.max()
    result: Floats = scores - peak - np.log(np.exp(scores - peak).sum())
    return result


@pytest.fixture
def logits() -> Floats:
    return np.random.default_rng(5).normal(size=VOCABULARY.n_vocab).astype(np.float32)


def allowed(logits: Floats, tokens: range | list[int]) -> Floats:
    """Log-probabilities where only some tokens may be chosen."""
    scores = np.full_like(logits, -np.inf)
    scores[list(tokens)] = logits[list(tokens)]
    return log_softmax(scores)


TEXT = [token for token in range(31) if token not in VOCABULARY.suppressed]


def test_without_timestamps_the_best_text_token_is_chosen(logits: Floats) -> None:
    expected = allowed(logits, TEXT)
    tokens, logprobs = chosen(logits)
    assert tokens == [int(expected.argmax())]
    assert logprobs == pytest.approx([float(expected.max())], abs=1e-5)


def test_suppressed_and_special_tokens_are_never_chosen(logits: Floats) -> None:
    logits[[3, 4, 33, 35, 39]] = 50.0
    tokens, _ = chosen(logits, n_best=5)
    assert set(tokens) <= set(TEXT)


def test_timestamps_outside_the_range_are_not_chosen(logits: Floats) -> None:
    tokens, _ = chosen(logits, n_best=4, text=FORBIDDEN, end=FORBIDDEN, earliest=5, latest=8)
    assert sorted(tokens) == [45, 46, 47, 48]


def test_text_gives_way_where_timestamps_together_are_likelier(logits: Floats) -> None:
    logits[:31] = np.minimum(logits[:31], 0.0)
    logits[10] = 2.0
    logits[40:] = 0.0  # twenty timestamps of e^0: together likelier than e^2
    expected = allowed(logits, range(40, 60))
    tokens, logprobs = chosen(logits, earliest=0, latest=19)
    assert tokens[0] >= 40
    assert logprobs == pytest.approx([float(expected.max())], abs=1e-5)
    logits[10] = 4.0  # e^4 beats twenty times e^0
    tokens, logprobs = chosen(logits, earliest=0, latest=19)
    assert tokens == [10]
    assert logprobs[0] == pytest.approx(
        float(allowed(logits, [*TEXT, *range(40, 60)])[10]), abs=1e-5
    )


def test_the_n_best_come_best_first(logits: Floats) -> None:
    expected = allowed(logits, TEXT)
    tokens, logprobs = chosen(logits, n_best=6)
    assert tokens == np.argsort(-expected)[:6].tolist()
    assert logprobs == sorted(logprobs, reverse=True)


def test_noise_makes_a_fair_sample_and_leaves_the_log_probability_alone() -> None:
    """Gumbel-max: over many draws tokens come as often as the sharpened softmax says."""
    logits = np.full(VOCABULARY.n_vocab, -50.0, np.float32)
    logits[[10, 11, 12]] = np.log([0.5, 0.3, 0.2]).astype(np.float32)
    n_draws, temperature = 4000, 0.5
    chooser = compile_chooser(1)
    values = {"text": 0.0, "end": 0.0, "earliest": 1.0, "latest": 0.0}
    values |= {"sharpness": 1 / temperature}
    noise = np.random.default_rng(0).gumbel(size=(n_draws, VOCABULARY.n_candidates))
    results = chooser(
        {
            "hidden": np.tile(logits, (1, n_draws, 1)),
            "noise": noise.astype(np.float32),
            **{name: np.full((n_draws, 1), value, np.float32) for name, value in values.items()},
        }
    )
    squares = np.array([0.25, 0.09, 0.04])
    shares = [(results["tokens"] == token).mean() for token in (10, 11, 12)]
    assert shares == pytest.approx((squares / squares.sum()).tolist(), abs=0.03)
    assert results["logprobs"].max() == pytest.approx(np.log(0.5), abs=1e-4)
