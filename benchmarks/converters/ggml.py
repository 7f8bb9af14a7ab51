"""A checkpoint in whisper.cpp's form: one file with sizes, mel filters, vocabulary and tensors.

Little endian: i32 magic; eleven i32 sizes; the mel filters: i32 rows, i32 columns, f32 values; the
text tokens: i32 count, each i32 length and its bytes; then tensors until the end: i32 rank, i32
length of the name, i32 type (0 f32, 1 f16), i32 sizes from the last to the first, name, values
(`models/convert-pt-to-ggml.py` in ggml-org/whisper.cpp). Names are those of openai/whisper.

    python benchmarks/converters/ggml.py MODEL FILE   # MODEL: a checkpoint's folder
"""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from subvino.checkpoints import open_checkpoint
from subvino.features import mel_filters
from subvino.network import Checkpoint
from subvino.tokenizer import Tokenizer

_MAGIC = 0x67676D6C
_F32, _F16 = 0, 1

_PARTS = (
    (r"\.layers\.", ".blocks."),
    (r"embed_positions\.weight", "positional_embedding"),
    (r"embed_tokens", "token_embedding"),
    (r"self_attn_layer_norm", "attn_ln"),
    (r"encoder_attn_layer_norm", "cross_attn_ln"),
    (r"final_layer_norm", "mlp_ln"),
    (r"self_attn", "attn"),
    (r"encoder_attn", "cross_attn"),
    (r"q_proj", "query"),
    (r"k_proj", "key"),
    (r"v_proj", "value"),
    (r"out_proj", "out"),
    (r"fc1", "mlp.0"),
    (r"fc2", "mlp.2"),
    (r"^encoder\.layer_norm", "encoder.ln_post"),
    (r"^decoder\.layer_norm", "decoder.ln"),
)
"""Of Hugging Face's names, which our reader gives, into openai/whisper's; in this order."""


def write_ggml(checkpoint: Checkpoint, path: Path) -> None:
    """Write the checkpoint with float16 matrices, as the published files have them."""
    with path.open("wb") as file:
        file.write(struct.pack("<i", _MAGIC) + _sizes(checkpoint))
        filters = mel_filters(checkpoint.dimensions.n_mels)
        file.write(struct.pack("<ii", *filters.shape) + filters.astype("<f4").tobytes())
        tokens = list(text_tokens(checkpoint.tokenizer))
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<i", len(token)) + token)
        for name in checkpoint.weights:
            _write_tensor(file, openai_name(name), checkpoint.weights[name])


def _sizes(checkpoint: Checkpoint) -> bytes:
    sizes = checkpoint.dimensions
    audio = (sizes.n_audio_context, sizes.n_state, sizes.n_heads, sizes.n_encoder_layers)
    text = (sizes.n_text_context, sizes.n_state, sizes.n_heads, sizes.n_decoder_layers)
    return struct.pack("<11i", sizes.n_vocab, *audio, *text, sizes.n_mels, _F16)


def text_tokens(tokenizer: Path) -> Iterator[bytes]:
    """The bytes of every token below the end of text, in the order of their ids."""
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    end = Tokenizer(tokenizer).eot
    bytes_of = byte_characters()
    for token, number in sorted(vocabulary.items(), key=lambda item: int(item[1])):
        if number < end:
            yield bytes(bytes_of[character] for character in token)


def byte_characters() -> dict[str, int]:
    """Character → byte in byte-level vocabularies (`bytes_to_unicode` in openai/gpt-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


def openai_name(name: str) -> str:
    """
    >>> openai_name("decoder.layers.3.encoder_attn.k_proj.weight")
    'decoder.blocks.3.cross_attn.key.weight'
    """
    for pattern, replacement in _PARTS:
        name = re.sub(pattern, replacement, name)
    return name


def _write_tensor(file: BinaryIO, name: str, values: npt.NDArray[np.floating]) -> None:
    if re.fullmatch(r"encoder\.conv[12]\.bias", name):
        values = values.reshape(-1, 1)
    small = values.ndim < 2 or name.endswith(("positional_embedding", ".bias"))
    kind, element = (_F32, "<f4") if small else (_F16, "<f2")
    label = name.encode()
    file.write(struct.pack("<iii", values.ndim, len(label), kind))
    file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)) + label)
    file.write(values.astype(element).tobytes())


def main() -> None:
    model, path = sys.argv[1:]
    write_ggml(open_checkpoint(Path(model)), Path(path))


if __name__ == "__main__":
    main()
