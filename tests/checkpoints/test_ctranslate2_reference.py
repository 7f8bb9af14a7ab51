"""The reader of model.bin against CTranslate2 itself, where that is installed (pip, no torch)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subvino.checkpoints import open_checkpoint
from subvino.checkpoints.ctranslate2 import read_variables
from tests import tiny_checkpoints as tiny
from tests.tiny_checkpoints import TINY

specs: Any = pytest.importorskip("ctranslate2.specs")
WEIGHTS = tiny.random_weights(TINY)


def save_with_ctranslate2(folder: Path, quantization: str) -> None:
    """`folder` as CTranslate2's own classes write it."""
    tiny.write_ctranslate2(folder, TINY, WEIGHTS)
    spec = specs.WhisperSpec(
        TINY.n_encoder_layers, TINY.n_heads, TINY.n_decoder_layers, TINY.n_heads
    )
    spec.decoder.scale_embeddings = False
    for name, array in tiny.ctranslate2_variables(WEIGHTS).items():
        set_variable(spec, name, array.copy())  # quantizing works in place
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.register_vocabulary([f"t{n}" for n in range(TINY.n_vocab)])
    spec.validate()
    spec.optimize(quantization=quantization)
    (folder / "config.json").unlink()
    for path in folder.glob("vocabulary.*"):
        path.unlink()
    spec.save(str(folder))


def set_variable(spec: Any, name: str, array: tiny.Array) -> None:
    """Set e.g. `decoder/layer_1/self_attention/linear_0/weight`; numbered ones are in lists."""
    *scopes, last = name.split("/")
    for scope in scopes:
        numbered, _, number = scope.rpartition("_")
        if hasattr(spec, scope):
            spec = getattr(spec, scope)
        else:
            spec = getattr(spec, numbered)[int(number)]
    setattr(spec, last, array)


@pytest.mark.parametrize("quantization", ["float16", "int8", "int8_float16", "float32"])
def test_files_of_ctranslate2_are_read_and_ours_are_the_same(
    tmp_path: Path, quantization: tiny.CTranslate2Element
) -> None:
    save_with_ctranslate2(tmp_path / "theirs", quantization)
    tiny.write_ctranslate2(tmp_path / "ours", TINY, WEIGHTS, quantization)
    assert open_checkpoint(tmp_path / "theirs").dimensions == TINY
    theirs = read_variables(tmp_path / "theirs" / "model.bin")
    ours = read_variables(tmp_path / "ours" / "model.bin")
    assert set(ours) <= set(theirs)
    for name, tensor in ours.items():
        assert theirs[name].element == tensor.element, name
        np.testing.assert_array_equal(theirs[name].read_stored(), tensor.read_stored(), name)
