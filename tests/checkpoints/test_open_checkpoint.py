"""Both kinds of checkpoint give the same network, whatever their files look like."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from subvino.checkpoints import is_openvino_folder, open_checkpoint, recognise
from subvino.checkpoints.layout import weight_shapes
from subvino.errors import CheckpointError, PickleRefusedError
from subvino.network import Dimensions, GenerationSettings
from tests import installed_weights
from tests import tiny_checkpoints as tiny
from tests.tiny_checkpoints import ARCHITECTURES, TINY, HuggingFaceStyle

WEIGHTS = tiny.random_weights(TINY)


def assert_same_weights(folder: Path, tolerance: float) -> None:
    """Every weight is as it was written, to a share of the largest value of its tensor."""
    found = open_checkpoint(folder).weights
    assert set(found) == set(WEIGHTS)
    for name, wanted in WEIGHTS.items():
        assert found[name].shape == wanted.shape, name
        error = np.abs(found[name].astype(np.float32) - wanted).max()
        assert error <= tolerance * np.abs(wanted).max(), (name, error)


@pytest.mark.parametrize(
    ("style", "tolerance"),
    [
        (HuggingFaceStyle("f32"), 0),
        (HuggingFaceStyle("f16"), 2**-11),
        (HuggingFaceStyle("bf16"), 2**-8),
        (HuggingFaceStyle("f32", n_shards=3), 0),
        (HuggingFaceStyle("f32", prefix=""), 0),
    ],
    ids=str,
)
def test_a_hugging_face_folder_gives_its_weights(
    tmp_path: Path, style: HuggingFaceStyle, tolerance: float
) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS, style)
    assert_same_weights(tmp_path, tolerance)


@pytest.mark.parametrize(
    ("element", "tolerance"),
    # int8: half a step of 127 to the row's largest value.
    [("float32", 0), ("float16", 2**-11), ("int8", 0.5 / 127), ("int8_float16", 0.5 / 127)],
)
def test_a_ctranslate2_folder_gives_its_weights(
    tmp_path: Path, element: tiny.CTranslate2Element, tolerance: float
) -> None:
    tiny.write_ctranslate2(tmp_path, TINY, WEIGHTS, element)
    assert_same_weights(tmp_path, tolerance * 1.001)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_recognised_by_its_sizes(tmp_path: Path, name: str) -> None:
    # Full depths and vocabulary; only narrow, so that the files stay small.
    dimensions = tiny.narrow(ARCHITECTURES[name], n_state=16)
    weights = {name: np.zeros(shape, np.float32) for name, shape in tiny.weight_shapes(dimensions)}
    tiny.write_huggingface(tmp_path / "hf", dimensions, weights, HuggingFaceStyle("f16"))
    tiny.write_ctranslate2(tmp_path / "ct2", dimensions, weights, "float16")
    for folder in (tmp_path / "hf", tmp_path / "ct2"):
        checkpoint = open_checkpoint(folder)
        assert checkpoint.dimensions == dimensions
        assert checkpoint.settings == tiny.default_settings(dimensions)
        assert checkpoint.tokenizer == folder / "tokenizer.json"


def test_the_names_wanted_are_those_of_the_documentation() -> None:
    assert weight_shapes(TINY) == dict(tiny.weight_shapes(TINY))


def test_safetensors_files_read_as_the_reference_library_reads_them(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS, HuggingFaceStyle("f16"))
    reference = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    weights = open_checkpoint(tmp_path).weights
    for name in weights:
        np.testing.assert_array_equal(weights[name], reference[f"model.{name}"])


def test_files_that_the_reference_library_writes_are_read(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    extra = {"proj_out.weight": WEIGHTS["decoder.embed_tokens.weight"]}
    named = {f"model.{name}": array for name, array in WEIGHTS.items()}
    safetensors.numpy.save_file(named | extra, tmp_path / "model.safetensors")
    assert_same_weights(tmp_path, 0)


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    # Values with at most 8 significant bits are the same in bfloat16.
    exact = {name: (np.rint(array * 4) / 4).astype(np.float32) for name, array in WEIGHTS.items()}
    tiny.write_huggingface(tmp_path, TINY, exact, HuggingFaceStyle("bf16"))
    weights = open_checkpoint(tmp_path).weights
    for name in weights:
        assert weights[name].dtype == np.float32
        np.testing.assert_array_equal(weights[name], exact[name])


def test_asking_whether_a_weight_is_there_reads_nothing(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    weights = open_checkpoint(tmp_path).weights
    (tmp_path / "model.safetensors").unlink()
    assert "encoder.conv1.weight" in weights
    assert "proj_out.weight" not in weights
    with pytest.raises(CheckpointError, match="can't be read"):
        weights["encoder.conv1.weight"]


def test_settings_of_old_checkpoints_stand_in_config_json(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    (tmp_path / "generation_config.json").unlink()
    edit(tmp_path / "config.json", suppress_tokens=[3, 4], begin_suppress_tokens=[5])
    assert open_checkpoint(tmp_path).settings == GenerationSettings((3, 4), (5,), ())


def test_the_sentinel_minus_one_suppresses_nothing(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    edit(tmp_path / "generation_config.json", suppress_tokens=[-1], begin_suppress_tokens=None)
    settings = open_checkpoint(tmp_path).settings
    assert (settings.suppress_tokens, settings.begin_suppress_tokens) == ((), ())


@pytest.mark.parametrize("heads", [None, [], [[99, 0]], [[0, 99], [0, 0]]])
def test_alignment_heads_that_are_missing_or_do_not_fit_are_the_published_ones(
    tmp_path: Path, heads: object
) -> None:
    sizes = Dimensions(80, 384, 6, 1, 4, 51865)
    weights = {name: np.zeros(shape, np.float32) for name, shape in tiny.weight_shapes(sizes)}
    tiny.write_ctranslate2(tmp_path, sizes, weights)
    edit(tmp_path / "config.json", alignment_heads=heads)
    published = ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))  # whisper-tiny's
    assert open_checkpoint(tmp_path).settings.alignment_heads == published


def test_a_network_that_nobody_published_has_no_alignment_heads(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    edit(tmp_path / "generation_config.json", alignment_heads=[[99, 0]])
    assert open_checkpoint(tmp_path).settings.alignment_heads == ()


def test_pickles_are_refused_and_never_opened(tmp_path: Path) -> None:
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    (tmp_path / "model.safetensors").unlink()
    for name, start in (("pytorch_model.bin", b"PK\x03\x04"), ("model.pt", b"\x80\x02}q")):
        path = tmp_path / name
        path.write_bytes(start + b"rest")
        for given in (tmp_path, path):
            with pytest.raises(PickleRefusedError, match=r"safetensors or CTranslate2"):
                open_checkpoint(given)
        path.unlink()


def test_a_pickle_under_ctranslate2s_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x80\x04rest")
    with pytest.raises(PickleRefusedError):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_int16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    tiny.write_ctranslate2(tmp_path, TINY, WEIGHTS, "int16")
    with pytest.raises(CheckpointError, match="convert the checkpoint anew"):
        open_checkpoint(tmp_path)


def test_an_exported_ir_is_recognised_unless_weights_lie_beside_it(tmp_path: Path) -> None:
    for part in ("encoder", "decoder"):
        (tmp_path / f"openvino_{part}_model.xml").write_text("<net/>")
    assert is_openvino_folder(tmp_path)
    assert recognise(tmp_path) == "openvino"
    tiny.write_huggingface(tmp_path, TINY, WEIGHTS)
    assert recognise(tmp_path) == "huggingface"


@pytest.mark.model
def test_the_installed_english_checkpoint_opens_as_published() -> None:
    checkpoint = open_checkpoint(installed_weights.tiny_en_folder())
    assert checkpoint.dimensions == ARCHITECTURES["tiny.en"]
    assert checkpoint.settings.begin_suppress_tokens == (220, 50256)
    assert checkpoint.settings.alignment_heads[0] == (1, 0)
    # Sinusoids, the one weight whose values are known from the paper's code.
    positions = checkpoint.weights["encoder.embed_positions.weight"].astype(np.float32)
    scale = np.log(10_000) / 191
    wanted = np.sin(np.outer(np.arange(1500), np.exp(-scale * np.arange(192))))
    np.testing.assert_allclose(positions[:, :192], wanted, atol=1e-3)


@pytest.mark.model
def test_tiny_tokenizers_have_the_special_tokens_of_real_ones() -> None:
    for folder, n_vocab in (
        (installed_weights.tiny_en_folder(), 51864),
        (installed_weights.base_folders()[0], 51865),
    ):
        real = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for token in real["added_tokens"]:
            # Files from 2022 call two of the tokens otherwise.
            ours = token["content"].replace("nocaptions", "nospeech").replace("|iw|", "|he|")
            assert tiny.token_id(n_vocab, ours) == token["id"], ours


def edit(path: Path, **fields: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | fields), encoding="utf-8")
