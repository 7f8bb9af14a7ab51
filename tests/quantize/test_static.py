from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as op

from subvino.network import ModelFolder
from subvino.quantize import StaticOptions
from subvino.quantize.nncf_backend import quantize
from subvino.quantize.recording import Recording
from subvino.quantize.sensitivity import (
    Quantizer,
    Sensitivity,
    choose_left_out,
    find_quantizers,
    measure_sensitivity,
    operations_fed,
)
from subvino.quantize.static import (
    StaticPart,
    attention_products,
    decoder_inputs,
    encoder_inputs,
    make_static,
)
from tests.quantize.conftest import ignore


def read(model: ModelFolder, part: str) -> ov.Model:
    return ov.Core().read_model(model.path / f"{part}.xml")


@pytest.fixture(scope="module")
def encoder(exact_model: ModelFolder, recording: Recording) -> StaticPart:
    options = StaticOptions((0.75,))
    inputs = encoder_inputs(recording)
    return make_static("encoder", read(exact_model, "encoder"), inputs, options, ignore)


def test_the_quantized_encoder_runs_its_products_in_8_bits(encoder: StaticPart) -> None:
    compiled = ov.Core().compile_model(encoder.model, "CPU")
    types = {
        node.get_rt_info()["runtimePrecision"].astype(str)
        for node in compiled.get_runtime_model().get_ordered_ops()
        if node.get_rt_info()["layerType"].astype(str) == "FullyConnected"
    }
    assert types & {"i8", "u8"}


def test_the_quantized_encoder_is_near_the_original(encoder: StaticPart) -> None:
    assert encoder.errors[0.75] < 0.1
    assert encoder.weights_error is not None
    assert encoder.weights_error < 0.1


def test_of_several_alphas_the_one_with_the_least_error_is_taken(
    exact_model: ModelFolder, recording: Recording
) -> None:
    options = StaticOptions((0.05, 0.75), left_out_above=math.inf)
    inputs = encoder_inputs(recording)
    made = make_static("encoder", read(exact_model, "encoder"), inputs, options, ignore)
    assert set(made.errors) == {0.05, 0.75}
    assert made.errors[made.alpha] == min(made.errors.values())


def test_products_of_attention_are_never_quantized_in_the_decoder(
    exact_model: ModelFolder, recording: Recording
) -> None:
    decoder = read(exact_model, "decoder")
    inputs = decoder_inputs(read(exact_model, "encoder"), recording)
    options = StaticOptions((0.96,), left_out_above=math.inf)
    made = make_static("decoder", decoder, inputs, options, ignore)
    fed = {name for node in find_quantizers(made.model) for name in operations_fed(node)}
    products = attention_products(decoder)
    assert len(products) == 6  # past and new keys, past and new values, the window's two
    assert fed
    assert fed.isdisjoint(products)
    assert made.errors[0.96] < 0.1


def two_products() -> ov.Model:
    """x A twice, once with a column of x a thousand times as large and that of A as much smaller.

    The two differ in nothing but the range of what they multiply.
    """
    rng = np.random.default_rng(0)
    x = op.parameter([1, 64, 16], ov.Type.f32, name="x")
    x.output(0).get_tensor().set_names({"x"})
    matrix = rng.standard_normal((16, 16), dtype=np.float32)
    outputs = []
    for name, spike in (("even", 1.0), ("spiked", 1000.0)):
        scale = np.ones((1, 1, 16), np.float32)
        scale[..., 3] = spike
        given = op.add(op.multiply(x, op.constant(scale)), op.constant(np.float32(0.1)))
        product = op.matmul(given, op.constant(matrix / scale[0]), False, True)
        product.set_friendly_name(name)
        outputs.append(op.result(product))
    return ov.Model(outputs, [x], "two")


def samples() -> Iterator[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    rng = np.random.default_rng(1)
    for _ in range(4):
        yield {"x": rng.standard_normal((1, 64, 16), dtype=np.float32)}


def test_the_quantizer_that_does_the_harm_is_found() -> None:
    """One scale for all columns: where one is a thousand times as large, the others are lost."""
    model, inputs = two_products(), list(samples())
    # A negative alpha turns SmoothQuant off: the activations keep their spike.
    quantized = quantize(model, inputs, len(inputs), alpha=-1.0)
    found = measure_sensitivity(model, quantized, inputs, ignore)
    added = {name: one.added for one in found.quantizers for name in one.operations}
    assert added["spiked"] > 100 * added["even"]


def test_only_what_adds_more_than_its_part_is_left_out() -> None:
    found = Sensitivity(
        0.01,
        (
            Quantizer("a", ("fc1",), 0.0039),
            Quantizer("b", ("q", "k"), 0.0041),
            Quantizer("c", ("q",), 0.1),
        ),
    )
    assert choose_left_out(found, 0.4) == ("q", "k")
    assert choose_left_out(found, 100) == ()
