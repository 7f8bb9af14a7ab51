from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

SPEECH = Path(__file__).parents[1] / "data" / "speech"
SAID = {
    "ls_61-70968-0000": "He began a confused complaint against the wizard, who had vanished "
    "behind the curtain on the left.",
    "p225_020": "Many complicated ideas about the rainbow have been formed.",
}


@pytest.fixture
def manifest(folder: Path) -> Path:
    """Of the two English clips."""
    path = folder / "english.jsonl"
    rows: list[dict[str, Any]] = [
        {"audio": str(SPEECH / f"{name}.flac"), "text": text, "lang": "en"}
        for name, text in SAID.items()
    ]
    # Silero's own detector hears speech from 1.68 s; the vowel's level rises at 1.74 s.
    rows[1]["words"] = [["Many", 1.68, 1.95]]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.mark.model
def test_a_model_is_measured_and_the_report_written(
    run: Run, manifest: Path, real_models: Path, folder: Path
) -> None:
    call = run("evaluate", manifest, "--model", "tiny.en", "--json", "-o", "report", "-q")
    assert (call.code, call.err) == (0, [])
    read = json.loads("\n".join(call.out))
    (total,) = (summary for summary in read["summaries"] if summary["kind"] == "all")
    assert total["n_clips"] == 2
    assert total["errors"]["hits"] >= 24
    assert total["errors"]["rate"] <= 0.1
    assert total["word_onsets"]["n"] == 1
    assert total["word_onsets"]["median_ms"] <= 100
    assert json.loads((folder / "report/evaluation.json").read_text(encoding="utf-8")) == read
    assert {path.name for path in (folder / "report").iterdir()} == {
        "evaluation.json",
        "evaluation.html",
        "errors.png",
        "timing.png",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.jsonl",), 1, "none.jsonl: the manifest can't be read"),
        (("english.jsonl", "--strip-accents", "french"), 2, "'french' is none of: english"),
        (("english.jsonl", "--weights", "int3"), 2, "weights 'int3' is not known"),
        (("english.jsonl", "--model", "none/such-model"), 1, "none/such-model"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(
    run: Run,
    manifest: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    call = run("evaluate", *arguments)
    assert (call.code, call.out) == (code, [])
    assert message in call.err[-1]
