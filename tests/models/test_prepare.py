"""A checkpoint is converted once and kept; whatever happens, no broken model is used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from subvino.errors import CheckpointError, ModelNotFoundError, OptionError, PickleRefusedError
from subvino.models import convert_model, prepare_model
from subvino.network import ModelFolder
from tests import tiny_checkpoints as tiny
from tests.models.conftest import PREPARE, RunPython, finish

SLOW_PREPARE = """
import subvino.graphs, sys, time
from pathlib import Path
def save_network(checkpoint, folder, weights):
    (folder / "encoder.xml").write_text("half")
    Path(sys.argv[2]).touch()
    time.sleep(60)
subvino.graphs.save_network = save_network
"""


def time_made(model: ModelFolder) -> int:
    return (model.path / "subvino.json").stat().st_mtime_ns


def test_a_folder_is_converted_once(checkpoint: Path, cache: Path) -> None:
    steps: list[str] = []
    first = prepare_model(checkpoint, progress=lambda step, _done, _total: steps.append(step))
    assert first.path.parent == cache
    assert first.dimensions == tiny.TINY
    assert first.settings == tiny.default_settings(tiny.TINY)
    assert first.tokenizer.read_bytes() == (checkpoint / "tokenizer.json").read_bytes()
    names = {path.name for path in first.path.iterdir()}
    assert {"encoder.xml", "encoder.bin", "decoder.xml", "decoder.bin", "head.xml"} <= names
    assert "convert" in steps
    made = time_made(first)
    assert prepare_model(str(checkpoint)) == first
    assert time_made(first) == made


def test_both_kinds_of_weights_are_kept_apart(checkpoint: Path) -> None:
    small, large = prepare_model(checkpoint, "int8"), prepare_model(checkpoint, "fp16")
    assert small.path != large.path
    assert (small.weights, large.weights) == ("int8", "fp16")
    sizes = [(model.path / "encoder.bin").stat().st_size for model in (small, large)]
    assert sizes[0] < sizes[1]


def test_a_converted_folder_is_given_as_it_is(checkpoint: Path, tmp_path: Path) -> None:
    made = prepare_model(checkpoint)
    copy = tmp_path / "copy"
    shutil.copytree(made.path, copy)
    assert prepare_model(copy).path == copy


def test_a_changed_checkpoint_is_converted_anew(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(checkpoint, folder)
    before = time_made(prepare_model(folder))
    later = (folder / "config.json").stat().st_mtime + 2
    os.utime(folder / "config.json", (later, later))
    assert time_made(prepare_model(folder)) != before


@pytest.mark.parametrize("damage", ["missing", "cut", "manifest", "version"])
def test_a_damaged_model_is_made_anew(checkpoint: Path, damage: str) -> None:
    made = prepare_model(checkpoint)
    manifest = made.path / "subvino.json"
    good = (made.path / "encoder.bin").read_bytes()
    if damage == "missing":
        (made.path / "encoder.bin").unlink()
    elif damage == "cut":
        (made.path / "encoder.bin").write_bytes(good[:-1])
    elif damage == "manifest":
        manifest.write_text("{")
    else:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        manifest.write_text(json.dumps(content | {"graphs_version": -1}), encoding="utf-8")
    again = prepare_model(checkpoint)
    assert again == made
    assert (again.path / "encoder.bin").stat().st_size == len(good)


def test_a_model_of_the_users_goes_by_its_name(checkpoint: Path) -> None:
    made = convert_model(checkpoint, "my-model", "fp16")
    assert prepare_model("my-model", "fp16") == made
    with pytest.raises(ModelNotFoundError):
        prepare_model("my-model", "int8")


def test_an_entry_that_another_tool_made_goes_by_its_folder(checkpoint: Path, cache: Path) -> None:
    made = prepare_model(checkpoint)
    shutil.copytree(made.path, cache / "base-int8-static")
    model = prepare_model("base-int8-static")
    assert (model.name, model.path) == ("base-int8-static", cache / "base-int8-static")
    (cache / "base-int8-static" / "encoder.bin").unlink()
    with pytest.raises(CheckpointError, match=r"encoder\.bin missing"):
        prepare_model("base-int8-static")


@pytest.mark.parametrize("name", ["base", "turbo", "openai/whisper-tiny", "a/b", "..", ""])
def test_a_name_that_means_something_else_is_not_given_to_a_model(
    checkpoint: Path, name: str
) -> None:
    with pytest.raises(OptionError):
        convert_model(checkpoint, name)


def test_a_missing_folder_is_called_so(tmp_path: Path) -> None:
    for given in (tmp_path / "gone", str(tmp_path / "gone"), "./gone"):
        with pytest.raises(ModelNotFoundError, match="no such folder"):
            prepare_model(given)


def test_an_unknown_name_gives_the_ways_to_a_model() -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        prepare_model("bsae")
    message = str(caught.value)
    assert "did you mean base" in message
    for way in ('pip install "subvino[base]"', "folder", "subvino models get"):
        assert way in message


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.pt"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(PickleRefusedError):
        prepare_model(str(path))


def test_a_folder_named_as_a_model_does_not_stand_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Path
) -> None:
    shutil.copytree(checkpoint, tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    assert prepare_model("./base").dimensions == tiny.TINY
    shutil.copytree(prepare_model("./base").path, tmp_path / "cache" / "models" / "base-int8")
    assert prepare_model("base").path == tmp_path / "cache" / "models" / "base-int8"


def test_a_folder_that_optimum_exported_is_taken_as_it_is(
    tmp_path: Path, checkpoint: Path, cache: Path
) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        shutil.copyfile(checkpoint / name, folder / name)
    for part in ("encoder", "decoder"):
        (folder / f"openvino_{part}_model.xml").write_text("<net/>")
    model = prepare_model(folder)
    assert (model.layout, model.path, model.name) == ("optimum", folder, "exported")
    assert model.dimensions == tiny.TINY
    assert model.settings == tiny.default_settings(tiny.TINY)
    assert not cache.exists()


def test_two_processes_at_once_both_get_the_model(
    checkpoint: Path, cache: Path, run_python: RunPython
) -> None:
    both = [run_python(PREPARE, str(checkpoint)) for _ in range(2)]
    one, other = (finish(process) for process in both)
    assert one["path"] == other["path"]
    assert hidden(cache) == []
    # Only one of them converted; the other waited for it.
    converted = [answer for answer in (one, other) if ["convert", 1, 1] in list_of(answer)]
    assert len(converted) == 1


def test_a_kill_in_the_middle_leaves_no_model_and_the_next_run_clears_up(
    checkpoint: Path, cache: Path, tmp_path: Path, run_python: RunPython
) -> None:
    started = tmp_path / "started"
    process = run_python(SLOW_PREPARE + PREPARE, str(checkpoint), str(started))
    wait_for(started, process)
    process.kill()
    process.communicate()
    assert len(hidden(cache)) == 1
    assert [path for path in cache.iterdir() if path.name[0] not in "~."] == []
    model = prepare_model(checkpoint)
    assert model.dimensions == tiny.TINY
    assert hidden(cache) == []


def hidden(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.name.startswith("~")]


def list_of(answer: dict[str, object]) -> list[object]:
    steps = answer["steps"]
    assert isinstance(steps, list)
    return steps


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def test_importing_the_models_imports_nothing_heavy(run_python: RunPython) -> None:
    script = (
        "import json, sys, subvino.models\n"
        "heavy = {'openvino', 'huggingface_hub', 'tokenizers', 'safetensors', 'filelock'}\n"
        "print(json.dumps({'found': sorted(heavy & set(sys.modules))}))"
    )
    assert finish(run_python(script)) == {"found": []}
