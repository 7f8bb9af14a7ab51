from __future__ import annotations

import numpy as np
import openvino as ov
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from openvino import opset15 as op

from subvino.graphs.layers import expand_weights, quantize_rows, stored_matrix

matrices = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-1e3, 1e3, width=32, allow_subnormal=False),
)


@given(matrices)
def test_a_row_comes_back_within_half_a_step(matrix: np.typing.NDArray[np.float32]) -> None:
    codes, scale, zero = quantize_rows(matrix)
    back = (codes.astype(np.float32) - zero.astype(np.float32)) * scale
    # One step: half for the code, half for the zero point, which is rounded too.
    assert np.all(np.abs(back - matrix) <= scale * 1.001 + 1e-30)


@given(matrices)
def test_zero_stays_zero(matrix: np.typing.NDArray[np.float32]) -> None:
    matrix = matrix.copy()
    matrix[:, 0] = 0.0
    codes, _, zero = quantize_rows(matrix)
    assert np.array_equal(codes[:, :1], zero)


def test_stored_weights_give_the_matrix_back() -> None:
    matrix = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)
    for kind, tolerance in (("fp16", 2e-3), ("int8", 2e-2)):
        output = op.result(stored_matrix(matrix, "fp16" if kind == "fp16" else "int8"))
        compiled = ov.Core().compile_model(
            ov.Model([output], [], "stored"), "CPU", {"EXECUTION_MODE_HINT": "ACCURACY"}
        )
        np.testing.assert_allclose(compiled({})[0], matrix, atol=tolerance)


def test_the_device_keeps_expanded_weights_in_two_bytes_each() -> None:
    matrix = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    x = op.parameter([-1, 32], ov.Type.f32)
    product = op.matmul(x, stored_matrix(matrix, "int8"), False, True)
    model = ov.Model([op.result(product)], [x], "linear")
    expand_weights(model)
    compiled = ov.Core().compile_model(model, "CPU")
    kept = [
        node.get_element_type()
        for node in compiled.get_runtime_model().get_ops()
        if node.get_output_size() and node.get_output_partial_shape(0) == ov.PartialShape([64, 32])
    ]
    assert kept == [ov.Type.f16]
