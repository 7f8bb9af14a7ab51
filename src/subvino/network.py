"""The shape of a Whisper network, its weights by name, and what it was published with.

Floor 0 of the road: `checkpoints/` fills these in from any kind of file, `graphs/` builds from
them, and neither knows the other.

Weights go by the names that Hugging Face checkpoints use, without the leading "model.":

    encoder.conv1.weight (d, n_mels, 3)   .bias (d,)          encoder.conv2.weight (d, d, 3)  .bias
    encoder.embed_positions.weight (1500, d)
    encoder.layers.N.self_attn_layer_norm.weight .bias        encoder.layers.N.final_layer_norm.*
    encoder.layers.N.self_attn.{q,k,v,out}_proj.weight (d, d) .bias (k_proj has none)
    encoder.layers.N.fc1.weight (4d, d) .bias                 encoder.layers.N.fc2.weight (d, 4d)
    encoder.layer_norm.weight .bias
    decoder.embed_tokens.weight (n_vocab, d), which is the output projection too
    decoder.embed_positions.weight (448, d)
    decoder.layers.N.*: as the encoder's, and encoder_attn_layer_norm.*, encoder_attn.*
    decoder.layer_norm.weight .bias
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

WeightsKind = Literal["int8", "fp16"]
"""How matrices are stored in a converted model: 8-bit codes with a scale a row, or halves."""

Weights = Mapping[str, npt.NDArray[np.floating]]
"""Name → array, float16 or float32. Reading an item may read the file: take each once."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The sizes of a Whisper network (`ModelDimensions` in openai/whisper)."""

    n_mels: int
    n_state: int
    n_heads: int
    n_encoder_layers: int
    n_decoder_layers: int
    n_vocab: int
    n_audio_context: int = 1500
    n_text_context: int = 448

    def __post_init__(self) -> None:
        if self.n_state % self.n_heads:
            raise ValueError(f"{self.n_state} states don't divide by {self.n_heads} heads")

    @property
    def n_head_state(self) -> int:
        """Width of one attention head."""
        return self.n_state // self.n_heads


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What a checkpoint's generation config says about decoding.

    suppress_tokens: ids never to be chosen.
    begin_suppress_tokens: ids not to be chosen as the first token.
    alignment_heads: (decoder layer, head) whose cross-attention follows time; () where unknown.
    """

    suppress_tokens: tuple[int, ...] = ()
    begin_suppress_tokens: tuple[int, ...] = ()
    alignment_heads: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A Whisper network as published, whatever files it came in.

    tokenizer: path of its tokenizer.json.
    """

    dimensions: Dimensions
    settings: GenerationSettings
    weights: Weights
    tokenizer: Path


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A network on disk that OpenVINO can run: what `models/` finds and `whisper/` loads.

    name: as the user knows it.
    path: the folder; with layout "subvino" it holds encoder.xml, decoder.xml and head.xml; with
        "optimum" openvino_{encoder,decoder}_model.xml.
    weights: "int8", "fp16", or what its maker calls it.
    source: where it came from, in words.
    """

    name: str
    path: Path
    dimensions: Dimensions
    settings: GenerationSettings
    tokenizer: Path
    weights: str
    source: str
    layout: Literal["subvino", "optimum"] = "subvino"
