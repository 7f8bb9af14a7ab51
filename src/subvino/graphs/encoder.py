"""The encoder: log-mel of a window → cross-attention keys and values of every decoder layer.

Floor 1 of the road. The decoder reads nothing else of the encoder, so the projections that make
keys and values are done here, once a window.

It is run in two parts, cut before one of its layers. The first layers tell neighbouring states
apart that the others hardly do: merged in pairs there, the rest of the encoder takes less than
half, the decoder reads half as much at every token, and of whisper-base's greedy texts 998 of
9,133 words are wrong instead of 969. So a window is first heard merged, and in full where its text
is in doubt.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import Output
from openvino import opset15 as op

from subvino.graphs.layers import (
    Builder,
    attention_weights,
    constant,
    feed_forward,
    key_value,
    layer_norm,
    parameter,
    projected,
    query,
    result,
    window_key_value,
)

MERGED = 2
"""Neighbouring states that are merged into one. Three: 9 % more errors than two (in English and
French)."""


def build_encoder(builder: Builder) -> ov.Model:
    """The graph of the encoder.

    Input `mel`: f32 (1, n_mels, 3000).
    Outputs `cross_0`, `cross_1`, ...: of each decoder layer keys (1, heads, 1500, d / heads), then
    values (1, heads, d / heads, 1500).
    """
    sizes = builder.dimensions
    mel = parameter("mel", [1, sizes.n_mels, 2 * sizes.n_audio_context])
    hidden = _convolutions(builder, mel)
    for layer in range(sizes.n_encoder_layers):
        hidden = _block(builder, hidden, f"encoder.layers.{layer}")
    hidden = layer_norm(builder, hidden, "encoder.layer_norm")
    outputs = [
        output
        for layer in range(sizes.n_decoder_layers)
        for output in window_key_value(builder, hidden, f"decoder.layers.{layer}.encoder_attn")
    ]
    results = [result(f"cross_{i}", output).get_node() for i, output in enumerate(outputs)]
    return ov.Model(results, [mel.get_node()], "whisper_encoder")


def merging_layer(n_layers: int) -> int:
    """The layer before which states are merged.

    whisper-base, greedily, of 9,133 words: 1,086 wrong before the first of 6 layers, 998 before the
    third, 992 before the fourth; and 969 where none are merged.
    """
    return n_layers // 3


def front_of(encoder: ov.Model, layer: int, *, merged: bool) -> ov.Model:
    """The encoder up to a layer.

    encoder: from `build_encoder`, or read from its IR; it must not be used otherwise any more.
    Input `mel`: f32 (1, n_mels, 3000). Output `states`: (1, 1500, d), and behind them if `merged`
    what they merge into: (1, 2250, d).
    """
    states = _entering(encoder, layer)
    if merged:
        states = op.concat([states, _mean_of_neighbours(states)], 1).output(0)
    outputs = [result("states", states).get_node()]
    return ov.Model(outputs, encoder.get_parameters(), "whisper_encoder_front")


def back_of(encoder: ov.Model, layer: int) -> ov.Model:
    """The encoder from a layer on, for any number of states.

    encoder: as for `front_of`. Input `states`: (1, n, d). Outputs: the encoder's, of n states.
    """
    entering = _entering(encoder, layer)
    states = parameter("states", [1, -1, entering.partial_shape[2].get_length()])
    for target in entering.get_target_inputs():
        target.replace_source_output(states)
    back = ov.Model(encoder.get_results(), [states.get_node()], "whisper_encoder_back")
    back.validate_nodes_and_infer_types()
    return back


def _mean_of_neighbours(states: Output) -> Output:
    """(1, n, d) → (1, n / MERGED, d)."""
    _, n, width = (dimension.get_length() for dimension in states.partial_shape)
    shape = np.array([1, n // MERGED, MERGED, width], np.int64)
    pairs = op.reshape(states, op.constant(shape), False)
    return op.reduce_mean(pairs, op.constant(np.array([2], np.int64)), False).output(0)


def _entering(encoder: ov.Model, layer: int) -> Output:
    """What a layer takes in: up from its queries, the first that is normalised."""
    name = f"encoder.layers.{layer}.self_attn.q_proj"
    node = next(node for node in encoder.get_ops() if node.friendly_name == name)
    while node.get_type_name() != "MVN":
        node = node.input_value(0).get_node()
    return node.input_value(0)


def _convolutions(builder: Builder, mel: Output) -> Output:
    """Two convolutions, the second with stride 2, and the positions: (1, 1500, d)."""
    hidden = _convolution(builder, mel, "encoder.conv1", stride=1)
    hidden = _convolution(builder, hidden, "encoder.conv2", stride=2)
    turned = op.transpose(hidden, op.constant(np.array([0, 2, 1], np.int64)))
    return op.add(turned, builder.vector("encoder.embed_positions.weight")).output(0)


def _convolution(builder: Builder, x: Output, name: str, stride: int) -> Output:
    """Width 3, padded by 1, then GELU: (1, channels, n) → (1, d, n / stride).

    Its weights stay f16: 1 % of the encoder's, and the front end is sensitive.
    """
    kernel = constant(builder.weights[f"{name}.weight"].astype(np.float16))
    product = op.convolution(x, op.convert(kernel, "f32"), [stride], [1], [1], [1])
    product.set_friendly_name(name)
    bias = builder.weights[f"{name}.bias"].astype(np.float32).reshape(1, -1, 1)
    return op.gelu(op.add(product, constant(bias)), "erf").output(0)


def _block(builder: Builder, x: Output, name: str) -> Output:
    normal = layer_norm(builder, x, f"{name}.self_attn_layer_norm")
    queries = query(builder, normal, f"{name}.self_attn")
    keys, values = key_value(builder, normal, f"{name}.self_attn")
    weights = attention_weights(queries, keys)
    mixed = op.matmul(weights, values, False, False).output(0)
    x = op.add(x, projected(builder, mixed, f"{name}.self_attn")).output(0)
    return feed_forward(builder, x, name)
