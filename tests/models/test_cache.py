"""The cache's entries: safe names, and never a broken one in place of a good one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.errors import DiskFullError, OutputError
from subvino.models import cache as models_cache
from subvino.models.manifest import Manifest, read_manifest
from subvino.network import Dimensions, GenerationSettings

MANIFEST = Manifest(
    name="x",
    weights="int8",
    dimensions=Dimensions(80, 64, 2, 2, 3, 2000),
    settings=GenerationSettings((1, 2), (3,), ((0, 1),)),
    source="a folder",
    fingerprint="f",
    graphs_version=1,
)


def build(entry: str, text: str = "network") -> Path:
    def fill(new: Path, scratch: Path) -> Manifest:
        (new / "encoder.bin").write_text(text)
        (scratch / "model.bin").write_text("on the way")
        return MANIFEST

    with models_cache.lock_entry(entry):
        return models_cache.build_entry(entry, fill)


@given(st.text())
def test_any_name_becomes_one_word_that_stays_in_the_folder(name: str) -> None:
    entry = models_cache.entry_name(name, "int8")
    assert Path(entry).name == entry
    assert entry.isascii()
    assert not entry.startswith((".", "~"))
    assert not set('/\\:*?"<>|~\0') & set(entry)
    assert len(entry) < 120


@given(st.text(), st.text())
def test_different_names_become_different_words(one: str, other: str) -> None:
    same = models_cache.entry_name(one, "int8") == models_cache.entry_name(other, "int8")
    assert same == (one == other)


@pytest.mark.parametrize("name", ["../x", "..", ".", "", "a/b", "/etc", "~x", ".locks"])
def test_a_name_that_leaves_the_folder_finds_nothing(cache: Path, name: str) -> None:
    build("good")
    assert models_cache.find_entry(name) is None


def test_what_is_built_is_what_stands_there(cache: Path) -> None:
    folder = build("x-int8")
    assert folder == cache / "x-int8"
    assert sorted(path.name for path in folder.iterdir()) == ["encoder.bin", "subvino.json"]
    manifest = read_manifest(folder)
    assert manifest.settings == MANIFEST.settings
    assert manifest.dimensions == MANIFEST.dimensions
    assert manifest.files["encoder.bin"].size == len("network")


def test_building_again_replaces_the_entry(cache: Path) -> None:
    build("x-int8", "old")
    folder = build("x-int8", "new")
    assert (folder / "encoder.bin").read_text() == "new"
    assert visible_and_hidden(cache) == ["x-int8"]


def test_a_failure_on_the_way_leaves_the_old_entry_and_nothing_else(cache: Path) -> None:
    build("x-int8", "old")

    def fail(new: Path, scratch: Path) -> Manifest:
        (new / "encoder.bin").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with models_cache.lock_entry("x-int8"), pytest.raises(DiskFullError):
        models_cache.build_entry("x-int8", fail)
    assert (cache / "x-int8" / "encoder.bin").read_text() == "old"
    assert visible_and_hidden(cache) == ["x-int8"]


def test_what_a_killed_process_left_is_cleared_by_the_next(cache: Path) -> None:
    build("x-int8")
    left = cache / "~x-int8~abc" / "new"
    left.mkdir(parents=True)
    other = cache / "~x-int8-static~abc"
    other.mkdir()
    build("x-int8")
    assert visible_and_hidden(cache) == ["x-int8", "~x-int8-static~abc"]
    assert [entry for entry, _ in models_cache.list_entries()] == ["x-int8"]


def test_deleting_gives_the_bytes_freed(cache: Path) -> None:
    folder = build("x-int8")
    size = sum(path.stat().st_size for path in folder.iterdir())
    with models_cache.lock_entry("x-int8"):
        assert models_cache.delete_entry("x-int8") == size
    assert visible_and_hidden(cache) == []


def test_a_cache_that_is_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="set SUBVINO_CACHE"):
        build("x-int8")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "locked"))
    with pytest.raises(OutputError, match="set SUBVINO_CACHE"):
        build("x-int8")


def visible_and_hidden(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != ".locks")
