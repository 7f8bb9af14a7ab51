"""The decoder: tokens, what came before and the window's keys and values → hidden states.

Floor 1 of the road. Stateless: the keys and values of earlier tokens come in as tensors that
`whisper/` keeps, and those of the new tokens go out. So a row can enter or leave a batch at any
time, rows may differ in length, and the beams of one window share its cross-attention and its
past, told apart by the mask alone: nothing is copied when beams change places.

Token embeddings come in as vectors: the table they are rows of is the output projection too, and
lies with it in the head's graph (`head.py`).
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
    feed_forward,
    key_value,
    layer_norm,
    parameter,
    projected,
    query,
    result,
)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """embedded: (windows, n, d); positions: i32 (windows, n); mask: (windows, 1, n, past + n).

    past, cross: keys then values of each layer, (windows, heads, past or 1500, d / heads).
    """

    embedded: Output
    positions: Output
    mask: Output
    past: tuple[Output, ...]
    cross: tuple[Output, ...]

    @property
    def nodes(self) -> list[ov.Node]:
        ports = (self.embedded, self.positions, self.mask, *self.past, *self.cross)
        return [port.get_node() for port in ports]


def build_decoder(builder: Builder) -> ov.Model:
    """The graph of one decoding step, for n new tokens of each window at once.

    Inputs: see `_Inputs` (`past_0`, ..., `cross_0`, ...); `mask` is added to the attention scores:
    0 where new token i may see past token j (or new token j - past), very negative elsewhere.
    Outputs: `hidden` (windows, n, d) before the last norm; `present` (2 layers, windows, heads, n,
    d / heads), the new tokens' keys and values in the order of `past`.
    """
    inputs = _inputs(builder)
    positions = builder.vector("decoder.embed_positions.weight")
    places = op.gather(positions, inputs.positions, op.constant(np.int64(0)))
    hidden = op.add(inputs.embedded, places).output(0)
    present: list[Output] = []
    for layer in range(builder.dimensions.n_decoder_layers):
        hidden, keys, values = _self_attention(builder, hidden, inputs, layer)
        present += [keys, values]
        hidden = _cross_attention(builder, hidden, inputs, layer)
        hidden = feed_forward(builder, hidden, f"decoder.layers.{layer}")
    stacked = op.concat([_unsqueezed(port) for port in present], 0).output(0)
    results = [result("hidden", hidden).get_node(), result("present", stacked).get_node()]
    return ov.Model(results, inputs.nodes, "whisper_decoder")


def make_aligner(decoder: ov.Model, heads: Sequence[tuple[int, int]]) -> ov.Model:
    """The part of the decoder that says where each token was heard.

    decoder: from `build_decoder`, or read from its IR; it must not be used otherwise any more.
    heads: (layer, head).
    It ends at the last layer that is needed. Output `attention`: (windows, n, 1500), the mean over
    the heads, each row summing to 1.
    """
    weights = {node.friendly_name: node.output(0) for node in decoder.get_ops()}
    chosen = []
    for layer in sorted({layer for layer, _ in heads}):
        wanted = np.array([head for other, head in heads if other == layer], np.int32)
        attention = weights[_attention_name(layer)]
        chosen.append(op.gather(attention, op.constant(wanted), op.constant(np.int64(1))).output(0))
    mean = op.reduce_mean(op.concat(chosen, 1), op.constant(np.array([1], np.int64)), False)
    attention = result("attention", mean.output(0)).get_node()
    needed = {node.friendly_name for node in _ancestors(attention)}
    inputs = [node for node in decoder.get_parameters() if node.friendly_name in needed]
    return ov.Model([attention], inputs, "whisper_aligner")


def _ancestors(node: ov.Node) -> list[ov.Node]:
    """Every node that the node's value depends on."""
    found: dict[str, ov.Node] = {}
    waiting = [node]
    while waiting:
        for port in waiting.pop().input_values():
            parent = port.get_node()
            if parent.friendly_name not in found:
                found[parent.friendly_name] = parent
                waiting.append(parent)
    return list(found.values())


def _attention_name(layer: int) -> str:
    return f"cross_attention_{layer}"


def _inputs(builder: Builder) -> _Inputs:
    sizes = builder.dimensions
    n_caches = 2 * sizes.n_decoder_layers
    past = [-1, sizes.n_heads, -1, sizes.n_head_state]
    cross = [-1, sizes.n_heads, sizes.n_audio_context, sizes.n_head_state]
    return _Inputs(
        embedded=parameter("embedded", [-1, -1, sizes.n_state]),
        positions=parameter("positions", [-1, -1], Type.i32),
        mask=parameter("mask", [-1, 1, -1, -1]),
        past=tuple(parameter(f"past_{i}", past) for i in range(n_caches)),
        cross=tuple(parameter(f"cross_{i}", cross) for i in range(n_caches)),
    )


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
    past_keys, past_values = inputs.past[2 * layer : 2 * layer + 2]
    past_scores = op.matmul(queries, past_keys, False, True)
    scores = op.concat([past_scores, op.matmul(queries, keys, False, True)], 3)
    weights = op.softmax(op.add(scores, inputs.mask), 3)
    lengths = op.concat([_length(past_keys), _length(keys)], 0)
    split = op.variadic_split(weights, op.constant(np.int64(3)), lengths).outputs()
    mixed = op.add(
        op.matmul(split[0], past_values, False, False), op.matmul(split[1], values, False, False)
    ).output(0)
    return op.add(x, projected(builder, mixed, name)).output(0), keys, values


def _cross_attention(builder: Builder, x: Output, inputs: _Inputs, layer: int) -> Output:
    """x with cross-attention added; its weights (windows, heads, n, 1500) go by a name."""
    name = f"decoder.layers.{layer}.encoder_attn"
    normal = layer_norm(builder, x, f"{name}_layer_norm")
    keys, values = inputs.cross[2 * layer : 2 * layer + 2]
    weights = attention_weights(query(builder, normal, name), keys)
    weights.get_node().set_friendly_name(_attention_name(layer))
    mixed = op.matmul(weights, values, False, False).output(0)
    return op.add(x, projected(builder, mixed, name)).output(0)


def _length(caches: Output) -> Output:
    """How many tokens the keys or values (windows, heads, n, d / heads) hold: i64 (1,)."""
    place = op.constant(np.array([2], np.int64))
    return op.gather(op.shape_of(caches, "i64"), place, op.constant(np.int64(0))).output(0)


def _unsqueezed(port: Output) -> Output:
    return op.unsqueeze(port, op.constant(np.array([0], np.int64))).output(0)
