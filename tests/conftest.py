"""What tests of several rooms share: the real models, converted once a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from subvino.pipeline import EngineOptions, Transcriber, load_transcriber
from tests.installed_weights import base_folders, tiny_en_folder

# The same cases in every run, however busy the machine is.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache that the session's tests of real models fill."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def load_once() -> Callable[..., Transcriber]:
    """`load_transcriber` for tests of what comes after: each model is loaded once a session."""

    @cache
    def loaded(model: str | Path, options: EngineOptions | None) -> Transcriber:
        return load_transcriber(model, options)

    return lambda model, options=None, progress=None: loaded(model, options)


@pytest.fixture
def real_models(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache in use, with base and tiny.en to be had; skips where they are not installed."""
    base_folders()
    tiny_en_folder()
    monkeypatch.setenv("SUBVINO_CACHE", str(model_cache))
    return model_cache
