"""Our graphs against transformers, in f32: tests/data/README.md says how the values were made."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest

from subvino.graphs.decoder import add_queries, build_aligner, build_decoder
from subvino.graphs.encoder import MERGED, back_of, build_encoder, front_of
from subvino.graphs.head import build_head
from subvino.graphs.layers import Builder
from tests.reference_networks import NETWORKS, reference_ids, reference_mel, reference_weights

HIDDEN = np.float32(-30_000.0)
DATA = Path(__file__).parents[1] / "data"
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Arrays = dict[str, Floats]


class StepValues(NamedTuple):
    logits: Floats
    present: Floats


class Network:
    """Encoder, decoder and aligner of a reference network, in the device's reference mode."""

    def __init__(self, name: str) -> None:
        self.dimensions = NETWORKS[name]
        self.expected: Arrays = dict(np.load(DATA / f"{name}.npz"))
        builder = Builder(self.dimensions, reference_weights(self.dimensions), "fp16")
        self.encoder = _compile(build_encoder(builder))
        self.decoder = _compile(add_queries(build_decoder(builder), self.heads))
        self.head = _compile(build_head(builder))
        self.aligner = _compile(build_aligner(self.dimensions, self.heads))
        self.embedding = builder.weights["decoder.embed_tokens.weight"].astype(np.float32)
        self.mel = reference_mel(self.dimensions)
        self.ids = reference_ids(self.dimensions).astype(np.int32)

    @property
    def heads(self) -> tuple[tuple[int, int], ...]:
        layers, heads = self.dimensions.n_decoder_layers, self.dimensions.n_heads
        return tuple((layer, head) for layer in range(layers) for head in range(heads))

    def cross(self) -> Arrays:
        """Keys and values of both windows."""
        windows = [
            [np.array(value) for value in self.encoder(mel[None]).values()] for mel in self.mel
        ]
        return {
            f"cross_{i}": np.concatenate(parts)
            for i, parts in enumerate(zip(*windows, strict=True))
        }

    def step(self, tokens: Ints, positions: Ints, mask: Floats, caches: Arrays) -> StepValues:
        """Logits and the new keys and values."""
        inputs = {"embedded": self.embedding[tokens], "positions": positions, "mask": mask}
        results = self.decoder({**inputs, **caches})
        logits = np.array(self.head(results["hidden"])["logits"])
        return StepValues(logits, np.array(results["present"]))

    def empty_past(self, n_columns: int) -> Arrays:
        sizes = self.dimensions
        shape = (2, sizes.n_heads, n_columns, sizes.n_head_state)
        return {f"past_{i}": np.zeros(shape, np.float32) for i in range(2 * sizes.n_decoder_layers)}


def _compile(model: ov.Model) -> ov.CompiledModel:
    return ov.Core().compile_model(model, "CPU", {"EXECUTION_MODE_HINT": "ACCURACY"})


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


def causal(n: int, n_past: int = 0) -> npt.NDArray[np.float32]:
    """The mask of n tokens fed at once after `n_past` columns that hold nothing."""
    seen = np.triu(np.full((n, n), HIDDEN, np.float32), 1)
    past = np.full((n, n_past), HIDDEN, np.float32)
    return np.tile(np.concatenate([past, seen], axis=1), (2, 1, 1, 1)).astype(np.float32)


def positions(first: int, stop: int) -> npt.NDArray[np.int32]:
    return np.tile(np.arange(first, stop, dtype=np.int32), (2, 1)).astype(np.int32)


def test_keys_and_values_are_those_of_transformers(network: Network) -> None:
    states = network.expected["states"]
    keys_and_values = network.cross().values()
    by_state = [a.swapaxes(2, 3) if i % 2 else a for i, a in enumerate(keys_and_values)]
    found = np.stack([array[:, :, states] for array in by_state], axis=1)
    np.testing.assert_allclose(found, network.expected["cross"], atol=1e-3)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_encoder_in_two_parts_is_the_encoder(network: Network, layer: int) -> None:
    front, back = (_compile(part) for part in split(network, layer, merged=False))
    states = front(network.mel[:1])["states"]
    for whole, in_parts in zip(
        network.encoder(network.mel[:1]).values(), back(states).values(), strict=True
    ):
        np.testing.assert_allclose(in_parts, whole, atol=1e-4)


@pytest.mark.parametrize("layer", [0, 1])
def test_merged_states_are_the_mean_of_neighbours(network: Network, layer: int) -> None:
    front = _compile(split(network, layer, merged=True)[0])
    n = network.dimensions.n_audio_context
    states, merged = np.split(front(network.mel[:1])["states"], [n], axis=1)
    means = states.reshape(1, -1, MERGED, states.shape[2]).mean(axis=2)
    np.testing.assert_allclose(merged, means, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
def test_states_that_come_in_pairs_of_the_same_lose_nothing_merged(
    network: Network, layer: int
) -> None:
    sizes = network.dimensions
    back = _compile(split(network, layer, merged=True)[1])
    shape = (1, sizes.n_audio_context // MERGED, sizes.n_state)
    states = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    alike = [array.copy() for array in back(np.repeat(states, MERGED, axis=1)).values()]
    for i, (expected, found) in enumerate(zip(alike, back(states).values(), strict=True)):
        expected = expected[..., ::MERGED] if i % 2 else expected[:, :, ::MERGED]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def split(network: Network, layer: int, *, merged: bool) -> tuple[ov.Model, ov.Model]:
    builder = Builder(network.dimensions, reference_weights(network.dimensions), "fp16")
    return (
        front_of(build_encoder(builder), layer, merged=merged),
        back_of(build_encoder(builder), layer),
    )


def test_logits_of_all_tokens_at_once_are_those_of_transformers(network: Network) -> None:
    n = network.ids.shape[1]
    caches = {**network.empty_past(1), **network.cross()}
    found = network.step(network.ids, positions(0, n), causal(n, n_past=1), caches).logits
    np.testing.assert_allclose(found, network.expected["logits"], atol=1e-3)


def test_logits_token_by_token_are_those_of_transformers(network: Network) -> None:
    cross, n = network.cross(), network.ids.shape[1]
    past = network.empty_past(n)
    mask = np.full((2, 1, 1, n + 1), HIDDEN, np.float32)
    mask[..., n] = 0.0
    for place in range(n):
        tokens = network.ids[:, place : place + 1]
        found = network.step(tokens, positions(place, place + 1), mask, past | cross)
        for array, new in zip(past.values(), found.present, strict=True):
            array[:, :, place] = new[:, :, 0]
        mask[..., place] = 0.0
        expected = network.expected["logits"][:, place]
        np.testing.assert_allclose(found.logits[:, 0], expected, atol=1e-3)


def test_hypotheses_of_one_window_do_not_see_each_other(network: Network) -> None:
    """Two beams share a past of two columns, of which each may see its own only."""
    cross = {name: array[:1] for name, array in network.cross().items()}
    past = {name: array[:1] for name, array in network.empty_past(2).items()}
    tokens = network.ids[:1, :2]
    own = np.where(np.eye(2, dtype=bool), 0.0, HIDDEN).astype(np.float32)[None, None]
    hidden = np.full_like(own, HIDDEN)
    start = np.concatenate([hidden, own], axis=3)
    first = network.step(tokens, np.zeros((1, 2), np.int32), start, past | cross)
    past = {f"past_{i}": array for i, array in enumerate(first.present)}
    crossed = tokens[:, ::-1].copy()
    both = np.concatenate([own, own], axis=3)
    together = network.step(crossed, np.ones((1, 2), np.int32), both, past | cross).logits
    empty = {name: array[:1] for name, array in network.empty_past(1).items()}
    for beam in range(2):
        pair = np.array([[tokens[0, beam], tokens[0, 1 - beam]]], np.int32)
        alone = network.step(pair, positions(0, 2)[:1], causal(2, n_past=1)[:1], empty | cross)
        np.testing.assert_allclose(together[0, beam], alone.logits[0, 1], atol=1e-4)


def test_cross_attention_is_that_of_transformers(network: Network) -> None:
    n = network.ids.shape[1]
    inputs = {
        "embedded": network.embedding[network.ids],
        "positions": positions(0, n),
        "mask": causal(n, n_past=1),
        **network.empty_past(1),
        **network.cross(),
    }
    inputs["queries"] = network.decoder(inputs)["queries"]
    names = {port.any_name for port in network.aligner.inputs}
    found = network.aligner({name: inputs[name] for name in names})["attention"]
    expected = network.expected["cross_attention"]
    states = network.expected["states"]
    np.testing.assert_allclose(found[..., states], expected.mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=2), 1.0, atol=1e-4)


def test_only_the_heads_asked_for_are_looked_at(network: Network) -> None:
    sizes, cross = network.dimensions, network.cross()
    last = sizes.n_decoder_layers - 1
    builder = Builder(sizes, reference_weights(sizes), "fp16")
    decoder = _compile(add_queries(build_decoder(builder), [(0, 0), (last, 1)]))
    n = network.ids.shape[1]
    inputs = {
        "embedded": network.embedding[network.ids],
        "positions": positions(0, n),
        "mask": causal(n, n_past=1),
        **network.empty_past(1),
        **cross,
    }
    queries = decoder(inputs)["queries"]
    every = network.decoder(inputs)["queries"]
    np.testing.assert_array_equal(queries, every[:, [0, last * sizes.n_heads + 1]])
    keys = {f"cross_{2 * layer}": cross[f"cross_{2 * layer}"] for layer in {0, last}}
    aligner = _compile(build_aligner(sizes, [(0, 0), (last, 1)]))
    assert {port.any_name for port in aligner.inputs} == {"queries", *keys}
    found = aligner({"queries": queries, **keys})["attention"]
    expected = network.expected["cross_attention"][:, [0, last], [0, 1]].mean(axis=1)
    np.testing.assert_allclose(found[..., network.expected["states"]], expected, atol=1e-5)
