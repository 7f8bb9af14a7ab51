"""The numpy network that the graphs of every architecture are held to, against transformers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.graphs.test_network import DATA
from tests.numpy_whisper import NumpyWhisper
from tests.reference_networks import NETWORKS, reference_ids, reference_mel, reference_weights


@pytest.mark.parametrize("name", NETWORKS)
def test_states_and_logits_are_those_of_transformers(name: str) -> None:
    """Values and tolerances: tests/data/README.md."""
    dimensions = NETWORKS[name]
    expected = dict(np.load(DATA / f"{name}.npz"))
    network = NumpyWhisper(dimensions, reference_weights(dimensions))
    inputs = zip(reference_mel(dimensions), reference_ids(dimensions), strict=True)
    for window, (mel, ids) in enumerate(inputs):
        states = network.encode(mel)
        np.testing.assert_allclose(
            states[expected["states"]], expected["encoder"][window], atol=1e-4
        )
        np.testing.assert_allclose(
            network.decode(states, ids), expected["logits"][window], atol=1e-3
        )
