"""What tests of several rooms share: the real models, converted once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installed_weights import base_folders, tiny_en_folder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache that the session's tests of real models fill."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def real_models(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache in use, with base and tiny.en to be had; skips where they are not installed."""
    base_folders()
    tiny_en_folder()
    monkeypatch.setenv("SUBVINO_CACHE", str(model_cache))
    return model_cache
