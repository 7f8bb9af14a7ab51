"""The decoder: tokens, what came before and the window's keys and values → hidden states.

Floor 1 of the road. Stateless: the keys and values of earlier tokens come in as tensors that
`whisper/` keeps, and those of the new tokens go out. So a row can enter or leave a batch at any
time, rows may differ in length, and the beams of one window share its cross-attention and its
past, told apart by the mask alone: nothing is copied when beams change places.

In the products of cross-attention the window's keys and values stand on the left. The right side
of a product in bf16 is packed anew for each call: on the right they took 8.5 ms a token for ten
windows of whisper-base, and 5.3 on the left.

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
    turned,
)
from subvino.network import Dimensions


@dataclass(frozen=True, slots=True)
class _Inputs:
    """embedded: (windows, n, d); positions: i32 (windows, n); mask: (windows, 1, n, past + n).

    past: keys then values of each layer, (windows, heads, past, d / heads).
    cross: of each layer keys (windows, heads, states, d / heads), then values (windows, heads,
        d / heads, states); a window is heard in 1500 states, or in fewer.
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


def add_queries(decoder: ov.Model, heads: Sequence[tuple[int, int]]) -> ov.Model:
    """The decoder, made to tell what these heads look for in the window.

    decoder: from `build_decoder`, or read from its IR; it must not be used otherwise any more.
    heads: (layer, head).
    Output `queries` besides the decoder's: (windows, heads, n, d / heads), layer by layer.
    """
    weights = {node.friendly_name: node for node in decoder.get_ops()}
    chosen = []
    for layer, wanted in _by_layer(heads).items():
        by_token = weights[_attention_name(layer)].input_value(0).get_node()
        scores = by_token.input_value(0).get_node()
        chosen.append(_gather_heads(scores.input_value(1), wanted))
    queries = result("queries", op.concat(chosen, 1).output(0)).get_node()
    results = [*decoder.get_results(), queries]
    return ov.Model(results, decoder.get_parameters(), "whisper_decoder")


def build_aligner(dimensions: Dimensions, heads: Sequence[tuple[int, int]]) -> ov.Model:
    """The graph that says where each token was heard.

    Inputs: `queries`, as `add_queries` gives them for the same heads; the `cross_...` that hold
    the keys of their layers. Output `attention`: (windows, n, states), the mean over the heads,
    each row summing to 1.
    """
    size, layers = dimensions.n_head_state, _by_layer(heads)
    queries = parameter("queries", [-1, sum(map(len, layers.values())), -1, size])
    shape = [-1, dimensions.n_heads, -1, size]
    keys = {layer: parameter(f"cross_{2 * layer}", shape) for layer in layers}
    chosen = [_gather_heads(keys[layer], wanted) for layer, wanted in layers.items()]
    weights = attention_weights(queries, op.concat(chosen, 1).output(0))
    mean = op.reduce_mean(weights, op.constant(np.array([1], np.int64)), False)
    inputs = [port.get_node() for port in (queries, *keys.values())]
    attention = result("attention", mean.output(0)).get_node()
    return ov.Model([attention], inputs, "whisper_aligner")


def _by_layer(heads: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """The heads of each layer, by layer, in order."""
    layers = sorted({layer for layer, _ in heads})
    return {layer: [head for other, head in heads if other == layer] for layer in layers}


def _gather_heads(values: Output, heads: Sequence[int]) -> Output:
    """Some heads of (windows, heads, n, d / heads)."""
    wanted = op.constant(np.array(heads, np.int32))
    return op.gather(values, wanted, op.constant(np.int64(1))).output(0)


def _attention_name(layer: int) -> str:
    return f"cross_attention_{layer}"


def _inputs(builder: Builder) -> _Inputs:
    sizes = builder.dimensions
    n_caches = 2 * sizes.n_decoder_layers
    past = [-1, sizes.n_heads, -1, sizes.n_head_state]
    keys, values = past, [-1, sizes.n_heads, sizes.n_head_state, -1]
    return _Inputs(
        embedded=parameter("embedded", [-1, -1, sizes.n_state]),
        positions=parameter("positions", [-1, -1], Type.i32),
        mask=parameter("mask", [-1, 1, -1, -1]),
        past=tuple(parameter(f"past_{i}", past) for i in range(n_caches)),
        cross=tuple(parameter(f"cross_{i}", values if i % 2 else keys) for i in range(n_caches)),
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
    scores = op.matmul(keys, query(builder, normal, name), False, True).output(0)
    weights = op.softmax(turned(scores), 3)
    weights.set_friendly_name(_attention_name(layer))
    mixed = op.matmul(values, weights, False, True).output(0)
    return op.add(x, projected(builder, turned(mixed), name)).output(0)


def _length(caches: Output) -> Output:
    """How many tokens the keys or values (windows, heads, n, d / heads) hold: i64 (1,)."""
    place = op.constant(np.array([2], np.int64))
    return op.gather(op.shape_of(caches, "i64"), place, op.constant(np.int64(0))).output(0)


def _unsqueezed(port: Output) -> Output:
    return op.unsqueeze(port, op.constant(np.array([0], np.int64))).output(0)
