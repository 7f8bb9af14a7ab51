"""A cache of its own for every test, and a way to run a model's preparation in a process apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tiny_checkpoints as tiny

RunPython = Callable[..., "subprocess.Popen[str]"]

SOURCES = Path(__file__).parents[2] / "src"

PREPARE = """
import json, sys
from subvino.errors import SubvinoError
from subvino.models import prepare_model
steps = []
try:
    model = prepare_model(sys.argv[1], progress=lambda *report: steps.append(report))
    answer = {"name": model.name, "path": str(model.path), "source": model.source,
              "layout": model.layout}
except SubvinoError as error:
    answer = {"error": type(error).__name__, "message": str(error)}
print(json.dumps(answer | {"steps": steps}))
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder of models."""
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder, only to be read."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny-random"
    tiny.write_huggingface(folder, tiny.TINY, style=tiny.HuggingFaceStyle("f16"))
    return folder


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Starts Python on a script, with its own hub cache; keywords are environment variables.

    `huggingface_hub` reads its variables when it is imported, hence the process apart.
    """

    def run(script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCES),
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            **variables,
        }
        command = [sys.executable, "-W", "error", "-c", script, *arguments]
        return subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    return run


@pytest.fixture
def prepare_apart(run_python: RunPython) -> Callable[..., dict[str, object]]:
    """Runs `prepare_model(name)` in a process apart; gives what it printed."""

    def prepare(name: str, **variables: str) -> dict[str, object]:
        return finish(run_python(PREPARE, name, **variables))

    return prepare


def finish(process: subprocess.Popen[str]) -> dict[str, object]:
    """The JSON object that the process prints on its last line."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    answer = json.loads(output.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer
