"""The network in OpenVINO operations, written once.

Floor 1 of the road: a checkpoint goes in, OpenVINO IR files come out; no PyTorch on the way.
"""

from __future__ import annotations

from pathlib import Path

from subvino.network import Checkpoint, WeightsKind

GRAPHS_VERSION = 1
"""Counts up whenever a graph changes, so that models converted before are converted again."""


def save_network(checkpoint: Checkpoint, folder: Path, weights: WeightsKind) -> None:
    """Write encoder, decoder and, where alignment heads are known, aligner as IR into `folder`.

    weights: how matrices are stored: "int8" (8-bit codes with a scale and a zero point a row)
        or "fp16".
    """
    import openvino

    from subvino.graphs.decoder import build_aligner, build_decoder
    from subvino.graphs.encoder import build_encoder
    from subvino.graphs.layers import Builder

    builder = Builder(checkpoint.dimensions, checkpoint.weights, weights)
    openvino.save_model(build_encoder(builder), folder / "encoder.xml", compress_to_fp16=False)
    openvino.save_model(build_decoder(builder), folder / "decoder.xml", compress_to_fp16=False)
    heads = checkpoint.settings.alignment_heads
    if heads:
        aligner = build_aligner(builder, heads)
        openvino.save_model(aligner, folder / "aligner.xml", compress_to_fp16=False)
