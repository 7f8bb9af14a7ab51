"""The encoder: log-mel of a window → cross-attention keys and values of every decoder layer.

Floor 1 of the road. The decoder reads nothing else of the encoder, so the projections that make
keys and values are done here, once a window.
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
)


def build_encoder(builder: Builder) -> ov.Model:
    """The graph of the encoder.

    Input `mel`: f32 (1, n_mels, 3000).
    Outputs `cross_0`, `cross_1`, ...: keys then values of each decoder layer, each
    (1, heads, 1500, d / heads).
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
        for output in key_value(builder, hidden, f"decoder.layers.{layer}.encoder_attn")
    ]
    results = [result(f"cross_{i}", output).get_node() for i, output in enumerate(outputs)]
    return ov.Model(results, [mel.get_node()], "whisper_encoder")


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
