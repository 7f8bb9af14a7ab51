"""The decoder: tokens, what came before and the window's keys and values → logits.

Floor 1 of the road. Stateless: the keys and values of earlier tokens come in as tensors that
`whisper.py` keeps, and those of the new tokens go out. So a row can enter or leave a batch at any
time, rows may differ in length, and the beams of one window share its cross-attention and its
past, told apart by the mask alone: nothing is copied when beams change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import openvino as ov
from openvino import Output, Type
from openvino import opset15 as op

from subvino.graphs.layers import (
    Builder,
    attention_weights,
    constant,
    dequantized,
    feed_forward,
    key_value,
    layer_norm,
    parameter,
    projected,
    quantize_rows,
    query,
    result,
)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """tokens, positions: i32 (windows, n); mask: (windows, 1, n, past + n).

    past, cross: keys then values of each layer, (windows, heads, past or 1500, d / heads).
    """

    tokens: Output
    positions: Output
    mask: Output
    past: tuple[Output, ...]
    cross: tuple[Output, ...]

    @property
    def nodes(self) -> list[ov.Node]:
        ports = (self.tokens, self.positions, self.mask, *self.past, *self.cross)
        return [port.get_node() for port in ports]


def build_decoder(builder: Builder) -> ov.Model:
    """The graph of one decoding step, for n new tokens of each window at once.

    Inputs: see `_Inputs` (`past_0`, ..., `cross_0`, ...); `mask` is added to the attention scores:
    0 where new token i may see past token j (or new token j - past), very negative elsewhere.
    `take`: i32 (m,), which of the n tokens want logits.
    Outputs: `logits` f32 (windows, m, n_vocab); `present` (2 layers, windows, heads, n, d / heads),
    the new tokens' keys and values in the order of `past`.
    """
    inputs = _inputs(builder)
    take = parameter("take", [-1], Type.i32)
    embedding = _Embedding(builder)
    hidden = _embed(builder, embedding, inputs)
    present: list[Output] = []
    for layer in range(builder.dimensions.n_decoder_layers):
        name = f"decoder.layers.{layer}"
        hidden, keys, values = _self_attention(builder, hidden, inputs, layer)
        present += [keys, values]
        hidden, _ = _cross_attention(builder, hidden, inputs, layer)
        hidden = feed_forward(builder, hidden, name)
    taken = op.gather(hidden, take, op.constant(np.int64(1))).output(0)
    logits = embedding.logits(layer_norm(builder, taken, "decoder.layer_norm"))
    stacked = op.concat([_unsqueezed(port) for port in present], 0).output(0)
    results = [result("logits", logits).get_node(), result("present", stacked).get_node()]
    return ov.Model(results, [*inputs.nodes, take.get_node()], "whisper_decoder")


def build_aligner(builder: Builder, heads: Sequence[tuple[int, int]]) -> ov.Model:
    """The graph that says where each token of a known text was heard.

    All tokens of a window go in at once (teacher forcing), so nothing is past: inputs `tokens`,
    `positions`, `mask` (windows, 1, n, n) and `cross_*`, up to the last layer that has an
    alignment head. Output `attention`: (windows, len(heads), n, 1500), each row summing to 1.
    """
    last = max(layer for layer, _ in heads)
    inputs = _inputs(builder, with_past=False, n_layers=last + 1)
    hidden = _embed(builder, _Embedding(builder), inputs)
    chosen: list[Output] = []
    for layer in range(last + 1):
        hidden, _, _ = _self_attention(builder, hidden, inputs, layer)
        hidden, weights = _cross_attention(builder, hidden, inputs, layer)
        if layer < last:
            hidden = feed_forward(builder, hidden, f"decoder.layers.{layer}")
        wanted = [head for other, head in heads if other == layer]
        if wanted:
            indices = op.constant(np.array(wanted, np.int32))
            chosen.append(op.gather(weights, indices, op.constant(np.int64(1))).output(0))
    attention = op.concat(chosen, 1).output(0)
    return ov.Model([result("attention", attention).get_node()], inputs.nodes, "whisper_aligner")


def _inputs(builder: Builder, with_past: bool = True, n_layers: int | None = None) -> _Inputs:
    sizes = builder.dimensions
    n_caches = 2 * (sizes.n_decoder_layers if n_layers is None else n_layers)
    cache = [-1, sizes.n_heads, -1, sizes.n_head_state]
    cross = [-1, sizes.n_heads, sizes.n_audio_context, sizes.n_head_state]
    return _Inputs(
        tokens=parameter("tokens", [-1, -1], Type.i32),
        positions=parameter("positions", [-1, -1], Type.i32),
        mask=parameter("mask", [-1, 1, -1, -1]),
        past=tuple(parameter(f"past_{i}", cache) for i in range(n_caches)) if with_past else (),
        cross=tuple(parameter(f"cross_{i}", cross) for i in range(n_caches)),
    )


class _Embedding:
    """The token embedding, stored once: a table to read rows from and the output projection."""

    def __init__(self, builder: Builder) -> None:
        """Take the table out of the weights."""
        table = builder.weights["decoder.embed_tokens.weight"].astype(np.float32)
        if builder.kind == "int8":
            codes, scale, zero = quantize_rows(table)
            self._parts: tuple[Output, ...] = (constant(codes), constant(scale), constant(zero))
        else:
            self._parts = (constant(table.astype(np.float16)),)

    def rows(self, tokens: Output) -> Output:
        """(windows, n) → f32 (windows, n, d). Rows are picked before they are decompressed."""
        axis = op.constant(np.int64(0))
        return self._decompressed(
            *(op.gather(part, tokens, axis).output(0) for part in self._parts)
        )

    def logits(self, hidden: Output) -> Output:
        """(windows, m, d) → f32 (windows, m, n_vocab)."""
        return op.matmul(hidden, self._decompressed(*self._parts), False, True).output(0)

    @staticmethod
    def _decompressed(*parts: Output) -> Output:
        if len(parts) == 1:
            return op.convert(parts[0], "f32").output(0)
        return dequantized(*parts)


def _embed(builder: Builder, embedding: _Embedding, inputs: _Inputs) -> Output:
    """Token and position embeddings: (windows, n, d)."""
    table = builder.vector("decoder.embed_positions.weight")
    places = op.gather(table, inputs.positions, op.constant(np.int64(0)))
    return op.add(embedding.rows(inputs.tokens), places).output(0)


def _self_attention(
    builder: Builder, x: Output, inputs: _Inputs, layer: int
) -> tuple[Output, Output, Output]:
    """x with self-attention added, and the new tokens' keys and values.

    Past and new tokens are scored apart and only the scores are joined: joining the keys and the
    values would copy the whole past at every token.
    """
    name = f"decoder.layers.{layer}.self_attn"
    normal = layer_norm(builder, x, f"{name}_layer_norm")
    queries = query(builder, normal, name)
    keys, values = key_value(builder, normal, name)
    scores = op.matmul(queries, keys, False, True).output(0)
    if not inputs.past:
        weights = op.softmax(op.add(scores, inputs.mask), 3).output(0)
        mixed = op.matmul(weights, values, False, False).output(0)
        return op.add(x, projected(builder, mixed, name)).output(0), keys, values
    past_keys, past_values = inputs.past[2 * layer : 2 * layer + 2]
    past_scores = op.matmul(queries, past_keys, False, True).output(0)
    weights = op.softmax(op.add(op.concat([past_scores, scores], 3), inputs.mask), 3).output(0)
    lengths = op.concat([_length(past_keys), _length(keys)], 0)
    past_weights, new_weights = op.variadic_split(
        weights, op.constant(np.int64(3)), lengths
    ).outputs()
    mixed = op.add(
        op.matmul(past_weights, past_values, False, False),
        op.matmul(new_weights, values, False, False),
    ).output(0)
    return op.add(x, projected(builder, mixed, name)).output(0), keys, values


def _cross_attention(
    builder: Builder, x: Output, inputs: _Inputs, layer: int
) -> tuple[Output, Output]:
    """x with cross-attention added, and its weights (windows, heads, n, 1500)."""
    name = f"decoder.layers.{layer}.encoder_attn"
    normal = layer_norm(builder, x, f"{name}_layer_norm")
    queries = query(builder, normal, name)
    keys, values = inputs.cross[2 * layer : 2 * layer + 2]
    weights = attention_weights(queries, keys)
    mixed = op.matmul(weights, values, False, False).output(0)
    return op.add(x, projected(builder, mixed, name)).output(0), weights


def _length(caches: Output) -> Output:
    """How many tokens the keys or values (windows, heads, n, d / heads) hold: i64 (1,)."""
    place = op.constant(np.array([2], np.int64))
    return op.gather(op.shape_of(caches, "i64"), place, op.constant(np.int64(0))).output(0)


def _unsqueezed(port: Output) -> Output:
    return op.unsqueeze(port, op.constant(np.array([0], np.int64))).output(0)
