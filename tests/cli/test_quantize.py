from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import tiny_checkpoints as tiny
from tests.cli.conftest import Run
from tests.quantize.conftest import DIMENSIONS, SPEECH

ROW = {
    "audio": str(SPEECH / "p225_020.flac"),
    "text": "Many complicated ideas about the rainbow have been formed.",
    "lang": "en",
}


@pytest.fixture
def manifest(folder: Path) -> Path:
    path = folder / "one.jsonl"
    path.write_text(json.dumps(ROW), encoding="utf-8")
    return path


@pytest.fixture
def checkpoint(folder: Path) -> Path:
    path = folder / "random"
    weights = tiny.random_weights(DIMENSIONS)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(path, DIMENSIONS, weights)
    return path


QUICK = ("--windows", "1", "--steps", "2", "--leave-out-above", "inf", "--data", "one.jsonl")


def test_a_quantized_model_is_listed_described_and_used_by_its_name(
    run: Run, manifest: Path, checkpoint: Path
) -> None:
    lenient = ("--max-wer-increase", "9999", "--max-word-shift", "99")
    call = run(
        *("quantize", "./random", *QUICK, *lenient, "--parts", "encoder,decoder"),
        *("--check-on", "one.jsonl"),
    )
    assert call.code == 0, call.err
    told = "\n".join(call.err)
    assert "1 files gave 1 windows to the encoder and 2 decoding steps" in told
    assert "peak memory: " in told
    assert "use it as --model random-int8-static" in told
    path = Path(call.out[0])
    card = json.loads((path / "model_card.json").read_text(encoding="utf-8"))
    assert card["calibration"]["windows"] == 1
    assert set(card["parts"]) == {"encoder", "decoder"}
    assert "# random-int8-static" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")
    rows = json.loads("\n".join(run("models", "list", "--json").out))
    (row,) = (row for row in rows if row["name"] == "random-int8-static")
    assert row["converted"][0]["weights"] == "int8-static"
    assert run("models", "info", "random-int8-static", "--verify").code == 0
    heard = run(ROW["audio"], "--model", "random-int8-static", "--output-dir", "out", "-q")
    assert heard.code == 0, heard.err
    # The weights in 16 bits were only needed on the way.
    assert not any("fp16" in row["name"] for row in rows)


def test_what_fails_its_gate_is_not_kept(run: Run, manifest: Path, checkpoint: Path) -> None:
    call = run(
        *("quantize", "./random", *QUICK, "--parts", "encoder,decoder"),
        *("--check-on", "one.jsonl", "--max-wer-increase", "-1000"),
    )
    assert call.code == 0, call.err
    refused = [line for line in call.err if line.endswith(": not kept")]
    assert [line.partition(":")[0] for line in refused] == ["encoder and decoder", "encoder"]
    assert "nothing kept: with 8-bit weights alone" in call.err[-1]
    assert "int8-static" not in "\n".join(run("models", "list").out)


def test_weights_of_4_bits_are_smaller(run: Run, manifest: Path, checkpoint: Path) -> None:
    call = run(
        *("quantize", "./random", "--kind", "int4", "--check-on", "one.jsonl"),
        *("--max-wer-increase", "9999", "--max-word-shift", "99"),
    )
    assert call.code == 0, call.err
    folder = Path(call.out[0])
    assert folder.name == "random-int4"
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
    (original,) = folder.parent.glob("random-*-int8")
    before = (original / "decoder.bin").stat().st_size
    assert sizes["decoder.bin"] < before
    assert run(ROW["audio"], "--model", "random-int4", "--output-dir", "out", "-q").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("base", "--kind", "int3"), 2, "--kind 'int3' is not known"),
        (("base", "--parts", "head"), 2, "--parts 'head' is not known"),
        (("base", "--encoder-alpha", "2"), 2, "give some from 0 to 1"),
        (("base", "--leave-out-above", "nan"), 2, "give 0 or more"),
        (("./none",), 1, "none: no such folder"),
        (("./random", "--data", "nowhere at all"), 1, "no such folder or manifest"),
        (("./random", "--check-on", "none.jsonl"), 1, "the manifest can't be read"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(
    run: Run, checkpoint: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    call = run("quantize", *arguments, "-q")
    assert (call.code, call.out) == (code, [])
    assert message in call.err[-1]


@pytest.mark.model
def test_a_real_encoder_is_quantized_and_still_hears(
    run: Run, manifest: Path, real_models: Path
) -> None:
    call = run("quantize", "tiny.en", *QUICK, "--parts", "encoder", "--check-on", "one.jsonl")
    assert call.code == 0, call.err
    assert any("(+0.00 points)" in line and line.endswith(": kept") for line in call.err)
    assert run("models", "info", "tiny.en-int8-static").code == 0
