"""What `subvino models` lists, tells and removes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from subvino.errors import ModelNotFoundError
from subvino.models import (
    MODELS,
    ModelState,
    convert_model,
    list_models,
    model_info,
    prepare_model,
    remove_model,
)


def find(name: str) -> ModelState:
    return next(state for state in list_models() if state.name == name)


def test_an_empty_cache_lists_the_catalogue() -> None:
    states = list_models()
    assert [state.name for state in states] == list(MODELS)
    assert all(state.converted == () for state in states)


def test_conversions_are_listed_under_their_model(checkpoint: Path, cache: Path) -> None:
    for weights in ("int8", "fp16"):
        made = convert_model(checkpoint, "mine", weights)
    shutil.copytree(made.path, cache / "base-int8-static")
    mine, static = find("mine"), find("base-int8-static")
    assert [model.weights for model in mine.converted] == ["fp16", "int8"]
    assert mine.model is None
    assert [model.entry for model in static.converted] == ["base-int8-static"]
    on_disk = sum(path.stat().st_size for path in made.path.iterdir())
    manifest = (made.path / "subvino.json").stat().st_size
    assert mine.converted[0].size == on_disk - manifest


def test_a_folder_that_is_no_model_is_not_listed(cache: Path) -> None:
    (cache / "stranger").mkdir(parents=True)
    (cache / "broken").mkdir()
    (cache / "broken" / "subvino.json").write_text('{"format": 1}')
    assert [state.name for state in list_models()] == list(MODELS)


def test_info_knows_aliases_and_entries(checkpoint: Path) -> None:
    made = convert_model(checkpoint, "mine")
    assert model_info("turbo").state.model == MODELS["large-v3-turbo"]
    for name in ("mine", "mine-int8"):
        info = model_info(name)
        assert [item.path for item in info.state.converted] == [made.path]
        assert info.manifests[0].dimensions == made.dimensions
    with pytest.raises(ModelNotFoundError):
        model_info("nothing")


def test_verifying_reads_the_files_and_names_what_changed(checkpoint: Path) -> None:
    made = convert_model(checkpoint, "mine")
    assert model_info("mine").damaged is None
    assert model_info("mine", verify=True).damaged == ()
    path = made.path / "encoder.bin"
    content = bytearray(path.read_bytes())
    content[10] ^= 1  # the same size: only its digest tells
    path.write_bytes(content)
    assert model_info("mine", verify=True).damaged == (path,)


def test_removing_a_name_removes_all_its_conversions(checkpoint: Path, cache: Path) -> None:
    made = [convert_model(checkpoint, "mine", weights) for weights in ("int8", "fp16")]
    convert_model(checkpoint, "other")
    size = sum(path.stat().st_size for model in made for path in model.path.iterdir())
    assert remove_model("mine") == size
    assert [path.name for path in sorted(cache.iterdir())] == [".locks", "other-int8"]


def test_removing_an_entry_leaves_the_others(checkpoint: Path) -> None:
    for weights in ("int8", "fp16"):
        convert_model(checkpoint, "mine", weights)
    remove_model("mine-int8")
    assert [model.entry for model in find("mine").converted] == ["mine-fp16"]


def test_a_damaged_entry_can_be_removed(checkpoint: Path, cache: Path) -> None:
    made = convert_model(checkpoint, "mine")
    (made.path / "subvino.json").write_text("{")
    assert remove_model("mine-int8") > 0
    assert not made.path.exists()


@pytest.mark.parametrize("name", ["base", "../cache", ".", "nothing"])
def test_what_the_cache_does_not_have_is_not_removed(
    checkpoint: Path, cache: Path, name: str
) -> None:
    prepare_model(checkpoint)
    before = sorted(cache.iterdir())
    with pytest.raises(ModelNotFoundError):
        remove_model(name)
    assert sorted(cache.iterdir()) == before
