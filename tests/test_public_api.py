"""The names that users import, pinned."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import subvino

NAMES = {
    "MODELS",
    "Cue",
    "CueRules",
    "DecodingOptions",
    "Segment",
    "Subtitles",
    "SubvinoError",
    "TranscriptStream",
    "Transcriber",
    "Transcript",
    "Word",
    "__version__",
    "build_cues",
    "load_transcriber",
    "rules_for",
    "stream",
    "transcribe",
}


def test_the_public_names_are_these() -> None:
    assert set(subvino.__all__) == NAMES
    assert set(dir(subvino)) >= NAMES


def test_every_public_name_is_there_and_keeps_its_meaning() -> None:
    """No module of the package may take a public name's place once it is imported."""
    import subvino.pipeline

    for name in NAMES:
        value = getattr(subvino, name)
        assert not isinstance(value, type(sys)), name
    assert subvino.transcribe is subvino.pipeline.transcribe


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ("numpy", "openvino", "av", "tokenizers", "huggingface_hub", "typer", "rich")
    code = f"import sys, subvino; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_openvino_tells_its_makers_nothing(tmp_path: Path) -> None:
    """Left to itself it reports every import, under an identity kept in the home folder."""
    code = "import subvino, openvino, sys; assert sys.modules['openvino_telemetry'] is None"
    unset = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-c", code]
    subprocess.run(command, check=True, env={**unset, "HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
