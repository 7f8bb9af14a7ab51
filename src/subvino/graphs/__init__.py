"""The network in OpenVINO operations, written once.

Floor 1 of the road: a checkpoint goes in, OpenVINO IR files come out; no PyTorch on the way.
"""

from __future__ import annotations

from pathlib import Path

from subvino.network import Checkpoint, WeightsKind

GRAPHS_VERSION = 3
"""Counts up whenever a graph changes, so that models converted before are converted again."""


def save_network(checkpoint: Checkpoint, folder: Path, weights: WeightsKind) -> None:
    """Write encoder, decoder and head as IR into `folder`.

    weights: how matrices are stored: "int8" (8-bit codes with a scale and a zero point a row)
        or "fp16".
    """
    import openvino

    from subvino.graphs.decoder import build_decoder
    from subvino.graphs.encoder import build_encoder
    from subvino.graphs.head import build_head
    from subvino.graphs.layers import Builder

    builder = Builder(checkpoint.dimensions, checkpoint.weights, weights)
    for name, build in (
        ("encoder", build_encoder),
        ("decoder", build_decoder),
        ("head", build_head),
    ):
        openvino.save_model(build(builder), folder / f"{name}.xml", compress_to_fp16=False)
