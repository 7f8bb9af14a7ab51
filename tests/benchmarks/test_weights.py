from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from converters.ggml import openai_name, text_tokens, write_ggml
from converters.huggingface import write_huggingface

from subvino.checkpoints import open_checkpoint
from subvino.features import mel_filters
from subvino.network import GenerationSettings
from subvino.tokenizer import Tokenizer
from tests.tiny_checkpoints import TINY, random_weights, write_ctranslate2

Array = npt.NDArray[np.floating]


def read_ggml(path: Path) -> tuple[tuple[int, ...], int, dict[str, Array]]:
    """Sizes, tokens and tensors, read as `whisper_model_load` of whisper.cpp reads them."""
    data, at = path.read_bytes(), 0

    def take(form: str) -> tuple[int, ...]:
        nonlocal at
        values = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return values

    assert take("i") == (0x67676D6C,)
    sizes = take("11i")
    rows, columns = take("2i")
    at += 4 * rows * columns
    (n_tokens,) = take("i")
    for _ in range(n_tokens):
        at += 4 + struct.unpack_from("<i", data, at)[0]
    tensors = {}
    while at < len(data):
        rank, length, kind = take("3i")
        shape = take(f"{rank}i")[::-1]
        name = data[at : at + length].decode()
        at += length
        element = np.dtype("<f4" if kind == 0 else "<f2")
        count = int(np.prod(shape))
        tensors[name] = np.frombuffer(data, element, count, at).reshape(shape)
        at += count * element.itemsize
    return sizes, n_tokens, tensors


def test_whisper_cpp_finds_every_size_token_and_tensor(tmp_path: Path) -> None:
    weights = random_weights(TINY)
    write_ctranslate2(tmp_path / "model", TINY, weights, element="float32")
    checkpoint = open_checkpoint(tmp_path / "model")
    write_ggml(checkpoint, tmp_path / "model.ggml")
    sizes, n_tokens, tensors = read_ggml(tmp_path / "model.ggml")
    assert sizes == (2000, 1500, 64, 2, 2, 448, 64, 2, 3, 80, 1)
    assert n_tokens == Tokenizer(checkpoint.tokenizer).eot
    assert len(tensors) == len(weights)
    assert tensors["encoder.conv1.bias"].dtype == np.float32
    assert tensors["decoder.token_embedding.weight"].dtype == np.float16
    for name, values in weights.items():
        found = tensors[openai_name(name)]
        np.testing.assert_allclose(found.ravel(), values.ravel(), rtol=2**-10, atol=1e-6)


def test_the_tokens_are_bytes_in_the_order_of_their_ids(tmp_path: Path) -> None:
    write_ctranslate2(tmp_path, TINY)
    tokens = list(text_tokens(tmp_path / "tokenizer.json"))
    ids = Tokenizer(tmp_path / "tokenizer.json").encode(" the day\n")
    assert b"".join(tokens[number] for number in ids) == b" the day\n"


def test_the_filters_are_those_of_the_front_end(tmp_path: Path) -> None:
    write_ctranslate2(tmp_path / "model", TINY)
    write_ggml(open_checkpoint(tmp_path / "model"), tmp_path / "model.ggml")
    values = np.fromfile(tmp_path / "model.ggml", "<f4", 80 * 201, offset=4 * (1 + 11 + 2))
    np.testing.assert_array_equal(values.reshape(80, 201), mel_filters(80))


def test_a_hugging_face_folder_reads_back_as_the_same_checkpoint(tmp_path: Path) -> None:
    settings = GenerationSettings((1, 5), (220, 3), ((1, 0), (2, 1)))
    write_ctranslate2(tmp_path / "model", TINY, settings=settings)
    checkpoint = open_checkpoint(tmp_path / "model")
    write_huggingface(checkpoint, tmp_path / "copy")
    copy = open_checkpoint(tmp_path / "copy")
    assert (copy.dimensions, copy.settings) == (checkpoint.dimensions, checkpoint.settings)
    for name in checkpoint.weights:
        np.testing.assert_array_equal(copy.weights[name], checkpoint.weights[name])
