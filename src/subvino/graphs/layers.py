"""The layers a Whisper network is made of, each written once in OpenVINO operations.

Floor 1 of the road. Every function takes and gives output ports of a graph under construction.
Activations are f32 in the graph; the device's inference precision decides what runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import Output, Type
from openvino import opset15 as op

from subvino.network import Dimensions, Weights, WeightsKind

LAYER_NORM_EPSILON = 1e-5
"""As in the reference implementation (torch's default)."""

_KEPT_SMALL = "decompression_0"
"""Marks a conversion, in OpenVINO's own files too, that is not to be folded into the constant: the
device would keep f32 weights beside those that it has packed for its kernels, twice the memory."""


@dataclass(frozen=True, slots=True)
class Builder:
    """What every layer needs to be built: the sizes, the weights and how they are stored."""

    dimensions: Dimensions
    weights: Weights
    kind: WeightsKind

    def vector(self, name: str) -> Output:
        """A bias or a gain (n,), kept in f32: it is small and sensitive."""
        return constant(self.weights[name].astype(np.float32))

    def matrix(self, name: str, scale: float = 1.0) -> Output:
        """A weight matrix (rows out, columns in) times `scale`, decompressed in the graph."""
        return stored_matrix(self.weights[name].astype(np.float32) * np.float32(scale), self.kind)


def constant(array: npt.NDArray[np.generic]) -> Output:
    """The array as a constant of the graph."""
    return op.constant(np.ascontiguousarray(array)).output(0)


def stored_matrix(matrix: npt.NDArray[np.float32], kind: WeightsKind) -> Output:
    """The matrix (rows, columns) as stored weights and their decompression to f32."""
    if kind == "fp16":
        return op.convert(constant(matrix.astype(np.float16)), "f32").output(0)
    codes, scale, zero = quantize_rows(matrix)
    return dequantized(constant(codes), constant(scale), constant(zero))


def quantize_rows(
    matrix: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Asymmetric 8-bit codes of each row: `(codes - zero) * scale` gives the row back.

    matrix: (rows, columns). Gives codes (rows, columns), scale (rows, 1), zero point (rows, 1).
    The range of a row always includes 0, so that a zero weight stays zero.
    """
    low = np.minimum(matrix.min(axis=1, keepdims=True), 0.0)
    high = np.maximum(matrix.max(axis=1, keepdims=True), 0.0)
    scale = np.maximum((high - low) / 255.0, np.finfo(np.float32).tiny).astype(np.float32)
    zero = np.clip(np.rint(-low / scale), 0, 255)
    codes = np.clip(np.rint(matrix / scale + zero), 0, 255)
    return codes.astype(np.uint8), scale, zero.astype(np.uint8)


def dequantized(codes: Output, scale: Output, zero: Output) -> Output:
    """Convert → Subtract → Multiply: the pattern that OpenVINO folds into a kernel."""
    centred = op.subtract(op.convert(codes, "f32"), op.convert(zero, "f32"))
    return op.multiply(centred, scale).output(0)


def linear(builder: Builder, x: Output, name: str, scale: float = 1.0) -> Output:
    """x (..., in) → (..., out): `(x @ W.T + b) * scale`; no bias where the checkpoint has none."""
    product = op.matmul(x, builder.matrix(f"{name}.weight", scale), False, True)
    product.set_friendly_name(name)
    if f"{name}.bias" not in builder.weights:
        return product.output(0)
    bias = builder.weights[f"{name}.bias"].astype(np.float32) * np.float32(scale)
    return op.add(product, constant(bias)).output(0)


def layer_norm(builder: Builder, x: Output, name: str) -> Output:
    """x (..., d) normalised over d, with gain and bias."""
    axes = op.constant(np.array([-1], np.int64))
    normal = op.mvn(x, axes, True, LAYER_NORM_EPSILON, "inside_sqrt")
    gained = op.multiply(normal, builder.vector(f"{name}.weight"))
    return op.add(gained, builder.vector(f"{name}.bias")).output(0)


def feed_forward(builder: Builder, x: Output, name: str) -> Output:
    """The two linear layers of a block with GELU between, residual included."""
    hidden = layer_norm(builder, x, f"{name}.final_layer_norm")
    hidden = op.gelu(linear(builder, hidden, f"{name}.fc1"), "erf").output(0)
    return op.add(x, linear(builder, hidden, f"{name}.fc2")).output(0)


def split_heads(dimensions: Dimensions, x: Output) -> Output:
    """(batch, n, d) → (batch, heads, n, d / heads)."""
    shape = [0, 0, dimensions.n_heads, dimensions.n_head_state]
    heads = op.reshape(x, op.constant(np.array(shape, np.int64)), True)
    return op.transpose(heads, op.constant(np.array([0, 2, 1, 3], np.int64))).output(0)


def join_heads(dimensions: Dimensions, x: Output) -> Output:
    """(batch, heads, n, d / heads) → (batch, n, d)."""
    turned = op.transpose(x, op.constant(np.array([0, 2, 1, 3], np.int64)))
    shape = [0, 0, dimensions.n_state]
    return op.reshape(turned, op.constant(np.array(shape, np.int64)), True).output(0)


def query(builder: Builder, x: Output, name: str) -> Output:
    """Queries (batch, heads, n, d / heads) with 1/sqrt(d / heads) folded into the weights.

    Folded, because as a factor of the attention the CPU plugin multiplies and transposes all of
    the keys by it at every token.
    """
    scale = builder.dimensions.n_head_state**-0.5
    return split_heads(builder.dimensions, linear(builder, x, f"{name}.q_proj", scale))


def key_value(builder: Builder, x: Output, name: str) -> tuple[Output, Output]:
    """Keys and values, each (batch, heads, n, d / heads)."""
    keys = split_heads(builder.dimensions, linear(builder, x, f"{name}.k_proj"))
    values = split_heads(builder.dimensions, linear(builder, x, f"{name}.v_proj"))
    return keys, values


def window_key_value(builder: Builder, x: Output, name: str) -> tuple[Output, Output]:
    """Keys (batch, heads, n, d / heads) and values (batch, heads, d / heads, n).

    Laid out to be the left side of the decoder's products, see `decoder`.
    """
    keys, values = key_value(builder, x, name)
    return keys, turned(values)


def turned(x: Output) -> Output:
    """(batch, heads, n, m) → (batch, heads, m, n)."""
    return op.transpose(x, op.constant(np.array([0, 1, 3, 2], np.int64))).output(0)


def attention_weights(queries: Output, keys: Output) -> Output:
    """softmax(q k^T): (batch, heads, n, m)."""
    return op.softmax(op.matmul(queries, keys, False, True), 3).output(0)


def projected(builder: Builder, mixed: Output, name: str) -> Output:
    """The heads' results (batch, heads, n, d / heads) joined and projected: (batch, n, d)."""
    return linear(builder, join_heads(builder.dimensions, mixed), f"{name}.out_proj")


def parameter(name: str, shape: list[int], element: Type = Type.f32) -> Output:
    """A named input of the graph; -1 is a dynamic dimension."""
    node = op.parameter(shape, element, name=name)
    node.output(0).get_tensor().set_names({name})
    return node.output(0)


def result(name: str, value: Output) -> Output:
    """A named output of the graph."""
    node = op.result(value)
    node.output(0).get_tensor().set_names({name})
    node.set_friendly_name(name)
    return node.output(0)


@dataclass(frozen=True, slots=True)
class StoredMatrix:
    """A weight matrix as it lies in a graph.

    codes: (rows, columns), f16, or u8 with scale f32 (rows, 1) and zero point u8 (rows, 1).
    """

    codes: npt.NDArray[Any]
    scale: npt.NDArray[np.float32] | None = None
    zero: npt.NDArray[Any] | None = None

    def rows(self, places: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Single rows, decompressed: (...,) → f32 (..., columns)."""
        rows: npt.NDArray[np.float32] = self.codes[places].astype(np.float32)
        if self.scale is not None and self.zero is not None:
            rows = (rows - self.zero[places].astype(np.float32)) * self.scale[places]
        return rows


def find_matrix(node: ov.Node) -> StoredMatrix | None:
    """The matrix that the node decompresses, made by `stored_matrix`; None for other nodes."""
    kind = node.get_type_name()
    if (
        kind == "Convert"
        and (codes := _constant_of(node)) is not None
        and codes.dtype == np.float16
    ):
        return StoredMatrix(codes) if codes.ndim == 2 else None
    if kind != "Multiply" or node.input_value(0).get_node().get_type_name() != "Subtract":
        return None
    centred = node.input_value(0).get_node()
    codes, zero = (_constant_of(centred.input_value(i).get_node()) for i in (0, 1))
    if codes is None or zero is None or codes.dtype != np.uint8:
        return None
    return StoredMatrix(codes, node.input_value(1).get_node().data, zero)


def _constant_of(convert: ov.Node) -> npt.NDArray[Any] | None:
    """What a Convert of a constant converts."""
    if convert.get_type_name() != "Convert":
        return None
    source = convert.input_value(0).get_node()
    if source.get_type_name() != "Constant":
        return None
    data: npt.NDArray[Any] = source.data
    return data


def expand_weights(model: ov.Model) -> None:
    """Turn 8-bit weights into f16 ones, in place.

    For CPUs that compute in bf16. With AMX the CPU plugin takes 2-3x as long over a matrix that it
    must decompress first, and rounds otherwise for 1 to 4 rows than for more, so that a window's
    text would depend on its neighbours. Without AMX it quantizes activations too, by itself: 10 %
    faster, and twice as far from f32 (whisper-base's encoder: 4 % instead of 2).
    """
    for node in model.get_ordered_ops():
        matrix = find_matrix(node)
        if matrix is not None and matrix.scale is not None:
            values = matrix.rows(np.arange(len(matrix.codes))).astype(np.float16)
            expanded = op.convert(constant(values), "f32")
            expanded.get_rt_info()[_KEPT_SMALL] = ""
            node.output(0).replace(expanded.output(0))


def largest_matrix(model: ov.Model) -> StoredMatrix:
    """Of the head: the token embedding."""
    found = [matrix for node in model.get_ordered_ops() if (matrix := find_matrix(node))]
    return max(found, key=lambda matrix: matrix.codes.size)
