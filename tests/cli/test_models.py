from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from subvino.models import MODELS
from tests import tiny_checkpoints as tiny
from tests.cli.conftest import Run


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    tiny.write_huggingface(folder, tiny.TINY)
    return folder


@pytest.fixture
def converted(run: Run, checkpoint: Path) -> Path:
    """A model named mine in the cache."""
    call = run("models", "convert", checkpoint, "--name", "mine")
    assert call.code == 0, call.err
    assert "use it as --model mine" in call.err
    return Path(call.out[0])


def test_the_list_shows_every_model_of_the_catalogue(run: Run) -> None:
    names = [line.split()[0] for line in run("models", "list").out]
    assert names == ["NAME", *MODELS]


def test_a_converted_model_is_listed_as_ready(run: Run, converted: Path) -> None:
    (line,) = [line for line in run("models", "list").out if line.startswith("mine ")]
    assert "ready (int8)" in line
    rows = json.loads("\n".join(run("models", "list", "--json").out))
    (row,) = [row for row in rows if row["name"] == "mine"]
    assert [Path(model["path"]) for model in row["converted"]] == [converted]


def test_info_tells_where_a_model_lies_and_whether_it_is_whole(run: Run, converted: Path) -> None:
    call = run("models", "info", "mine", "--verify")
    assert call.code == 0
    assert str(converted) in "\n".join(call.out)
    assert "damaged  nothing" in call.out


def test_info_fails_where_a_model_is_damaged(run: Run, converted: Path) -> None:
    file = next(converted.glob("*.bin"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    call = run("models", "info", "mine", "--verify")
    assert call.code == 1
    assert str(file) in "\n".join(call.out)
    assert call.err == ["error: mine is damaged; remove it and get it again"]
    rows = json.loads("\n".join(run("models", "info", "mine", "--verify", "--json").out))
    assert rows["damaged"] == [str(file)]


def test_get_converts_a_folder_and_prints_where_it_lies(run: Run, checkpoint: Path) -> None:
    call = run("models", "get", checkpoint, "--weights", "fp16")
    assert call.code == 0, call.err
    assert (Path(call.out[0]) / "subvino.json").is_file()
    assert call.err == ["model: convert"]
    assert run("models", "get", checkpoint, "--weights", "FP16", "--quiet").err == []


def test_the_name_of_an_unknown_model_gets_help(run: Run) -> None:
    call = run("models", "info", "bsae")
    assert call.code == 1
    assert "did you mean base" in call.err[0]


def test_unknown_weights_are_wrong_usage(run: Run, checkpoint: Path) -> None:
    call = run("models", "get", checkpoint, "--weights", "int3")
    assert call.code == 2
    assert call.err == ["error: weights 'int3' is not known; use one of: int8, fp16"]


def test_a_removed_model_is_gone(run: Run, converted: Path) -> None:
    call = run("models", "remove", "mine", "--yes")
    assert call.code == 0
    assert call.out[0].startswith("mine: ")
    assert call.out[0].endswith(" freed")
    assert not converted.exists()
    assert run("models", "remove", "mine", "--yes").code == 1


@pytest.mark.parametrize(("answer", "stays"), [("n\n", True), ("y\n", False)])
def test_removing_asks_first(
    run: Run, converted: Path, monkeypatch: pytest.MonkeyPatch, answer: str, stays: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run("models", "remove", "mine").code == 0
    assert converted.exists() == stays
