"""Damaged and hostile files give a CheckpointError, and claim no memory on their word."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subvino.checkpoints import open_checkpoint
from subvino.errors import CheckpointError
from subvino.network import Dimensions
from tests import tiny_checkpoints as tiny

# Small in every size, so that a byte chosen at random is often one of the structure.
SMALL = Dimensions(4, 16, 1, 1, 1, 1700, 6, 5)
FIXTURES_ARE_ONLY_READ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def huggingface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf")
    tiny.write_huggingface(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def ctranslate2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ct2")
    tiny.write_ctranslate2(folder, SMALL, element="int8")
    return folder


@pytest.fixture
def broken(tmp_path: Path, huggingface: Path) -> Path:
    folder = tmp_path / "broken"
    shutil.copytree(huggingface, folder)
    return folder


def read_all(folder: Path) -> None:
    weights = open_checkpoint(folder).weights
    for name in weights:
        weights[name]


def assert_reads_or_is_refused(source: Path, name: str, data: bytes, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / name).write_bytes(data)
    try:
        with np.errstate(all="ignore"):
            read_all(folder)
    except CheckpointError as error:
        message = str(error)
    else:
        message = "read"
    assert "\n" not in message


def structure_of(data: bytes, kind: str) -> range:
    """Where the bytes are that say how to read the others."""
    if kind == "safetensors":
        return range(8 + int.from_bytes(data[:8], "little"))
    return range(len(data))


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "config.json"])
@FIXTURES_ARE_ONLY_READ
@given(data=st.data())
def test_any_changed_bytes_are_read_or_refused(
    huggingface: Path, ctranslate2: Path, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    source = ctranslate2 if name == "model.bin" else huggingface
    content = bytearray((source / name).read_bytes())
    positions = structure_of(bytes(content), Path(name).suffix[1:])
    # A run of bytes, so that whole lengths and offsets change and not only their low parts.
    start = data.draw(st.sampled_from(positions))
    run = data.draw(st.binary(min_size=1, max_size=8))
    content[start : start + len(run)] = run
    assert_reads_or_is_refused(source, name, bytes(content), tmp_path / "changed")


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin"])
@FIXTURES_ARE_ONLY_READ
@given(share=st.floats(0, 0.999))
def test_a_file_cut_short_is_refused(
    huggingface: Path, ctranslate2: Path, tmp_path: Path, name: str, share: float
) -> None:
    source = ctranslate2 if name == "model.bin" else huggingface
    content = (source / name).read_bytes()
    folder = tmp_path / "cut"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError):
        read_all(folder)


def test_a_header_length_beyond_the_file_claims_no_memory(broken: Path) -> None:
    (broken / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="cut short"):
        open_checkpoint(broken)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_tensor_of_absurd_shape_is_refused(broken: Path) -> None:
    header = {
        "model.encoder.conv1.weight": {
            "dtype": "F32",
            "shape": [2**40, 2**40],
            "data_offsets": [0, 16],
        }
    }
    text = json.dumps(header).encode()
    path = broken / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(16))
    with pytest.raises(CheckpointError, match=r"conv1\.weight of shape .* expected"):
        open_checkpoint(broken)


@pytest.mark.parametrize(
    "shard",
    ["../elsewhere.safetensors", "/etc/passwd", "a/b.safetensors", "C:\\x.safetensors", "x.bin"],
)
def test_an_index_names_only_files_beside_it(broken: Path, shard: str) -> None:
    (broken / "model.safetensors").unlink()
    index = {"weight_map": {"model.encoder.conv1.weight": shard}}
    (broken / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="no name of a file beside it"):
        open_checkpoint(broken)


def hostile_fields() -> Iterator[tuple[str, object]]:
    for size in (0, -1, 10**9, "64", None, True, 6.5):
        yield "d_model", size
    yield "decoder_layers", 10**6
    yield "encoder_attention_heads", 3
    yield "model_type", "bert"
    yield "vocab_size", 1699  # not what the embedding has


@pytest.mark.parametrize(("field", "value"), list(hostile_fields()))
def test_a_config_that_does_not_fit_is_refused(broken: Path, field: str, value: object) -> None:
    path = broken / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {field: value}))
    with pytest.raises(CheckpointError):
        open_checkpoint(broken)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suppress_tokens", [1700]),
        ("suppress_tokens", "all"),
        ("begin_suppress_tokens", [1.5]),
        ("alignment_heads", [[1]]),
        ("alignment_heads", 3),
    ],
)
def test_settings_of_another_kind_are_refused(broken: Path, field: str, value: object) -> None:
    (broken / "generation_config.json").write_text(json.dumps({field: value}))
    with pytest.raises(CheckpointError, match=field):
        open_checkpoint(broken)


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1'])
def test_json_that_is_none_is_refused(broken: Path, text: bytes) -> None:
    (broken / "config.json").write_bytes(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        open_checkpoint(broken)


def test_a_huge_json_file_is_not_read_whole(broken: Path) -> None:
    with (broken / "config.json").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(CheckpointError, match="bytes long"):
        open_checkpoint(broken)


def test_a_missing_tokenizer_is_named(broken: Path) -> None:
    (broken / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: is missing"):
        open_checkpoint(broken)


def test_a_missing_tensor_is_named(broken: Path) -> None:
    weights = tiny.random_weights(SMALL)
    del weights["decoder.layers.0.fc2.bias"]
    tiny.write_huggingface(broken, SMALL, weights)
    with pytest.raises(CheckpointError, match=r"tensor decoder\.layers\.0\.fc2\.bias is missing"):
        open_checkpoint(broken)


@pytest.mark.parametrize("scale", [0.0, np.nan, np.inf])
def test_an_int8_scale_that_is_no_number_is_refused(tmp_path: Path, scale: float) -> None:
    weights = tiny.random_weights(SMALL)
    tiny.write_ctranslate2(tmp_path, SMALL, weights, "int8")
    path = tmp_path / "model.bin"
    data = path.read_bytes()
    name = b"encoder/conv1/weight_scale\0"
    values = data.index(name) + len(name) + 1 + 4 + 1 + 4
    path.write_bytes(data[:values] + struct.pack("<f", scale) + data[values + 4 :])
    with pytest.raises(CheckpointError, match="conv1/weight_scale"):
        read_all(tmp_path)
