"""The counts are held against a walk over the graphs themselves, which do not know them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from arithmetic import Decoding, cross_work, decoder_work, encoder_work

from subvino.checkpoints import open_checkpoint
from subvino.graphs.encoder import build_encoder
from subvino.graphs.layers import Builder
from tests.tiny_checkpoints import ARCHITECTURES, TINY, write_huggingface


def operations(model: ov.Model) -> float:
    """Multiplications and additions of all products and convolutions."""
    total = 0.0
    for node in model.get_ordered_ops():
        out = np.prod(node.get_output_shape(0)) if node.get_output_size() else 0
        if node.get_type_name() == "MatMul":
            total += 2 * out * node.get_input_shape(0)[-1]
        if node.get_type_name() == "Convolution":
            total += 2 * out * np.prod(node.get_input_shape(1)[1:])
    return float(total)


def test_the_encoder_is_counted_as_its_graph_computes_it(tmp_path: Path) -> None:
    write_huggingface(tmp_path, TINY)
    checkpoint = open_checkpoint(tmp_path)
    model = build_encoder(Builder(TINY, checkpoint.weights, "fp16"))
    works = (encoder_work(TINY), cross_work(TINY))
    assert operations(model) == sum(work.linear + work.attention for work in works)


def test_the_sizes_of_base_give_the_known_figures() -> None:
    base = ARCHITECTURES["base"]
    encoder, cross = encoder_work(base), cross_work(base)
    assert (encoder.linear + encoder.attention) / 1e9 == pytest.approx(87, abs=1)
    assert cross.linear / 1e9 == pytest.approx(9.4, abs=0.1)


def test_a_step_reads_the_weights_once_and_every_window_its_own_keys() -> None:
    base = ARCHITECTURES["base"]
    one, many = (decoder_work(base, Decoding(100, windows, 1)) for windows in (1, 16))
    assert one.linear == many.linear
    weights = 6 * 14 * 512**2 + 51865 * 512
    assert one.bytes_read - many.bytes_read == pytest.approx(100 * weights * 15 / 16)
    beams = decoder_work(base, Decoding(100, 16, 5))
    assert beams.linear == 5 * many.linear
    assert beams.bytes_read < 1.2 * many.bytes_read
