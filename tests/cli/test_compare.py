from __future__ import annotations

import json
from pathlib import Path

import pytest

from subvino.cli.contenders import Contender, parse_contender, run_probe
from subvino.errors import OptionError, SubvinoError
from tests.cli.conftest import Run

SPEECH = Path(__file__).parents[1] / "data" / "speech"


def test_who_takes_part_is_read_from_one_word() -> None:
    assert parse_contender("base") == Contender("base", "base")
    text = "base-int8-static,device=GPU.1,beam=1"
    assert parse_contender(text) == Contender(text, "base-int8-static", device="GPU.1", beam=1)
    text = "faster-whisper:models/x,batch=8"
    assert parse_contender(text) == Contender(text, "models/x", "faster-whisper", batch=8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base,beam=x", "'x' is no whole number"),
        ("base,precision=f32", "'precision=f32' is no setting; use weights=, device="),
        ("faster-whisper:", "names no model"),
        ("faster-whisper:base,device=GPU", "takes no weights or device"),
    ],
)
def test_who_can_not_take_part_is_said_in_a_line(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_contender(text)


def test_a_contender_that_fails_by_itself_is_told(folder: Path) -> None:
    with pytest.raises(SubvinoError, match="none/such: failed in a process of its own"):
        run_probe(parse_contender("./none/such"), 1, SPEECH / "p225_020.flac")


@pytest.mark.model
def test_two_kinds_of_weights_stand_side_by_side(run: Run, real_models: Path, folder: Path) -> None:
    row = {
        "audio": str(SPEECH / "p225_020.flac"),
        "text": "Many complicated ideas about the rainbow have been formed.",
        "lang": "en",
    }
    Path("one.jsonl").write_text(json.dumps(row), encoding="utf-8")
    call = run(
        *("compare", "tiny.en,weights=fp16,beam=1", "tiny.en,beam=1", "--on", "one.jsonl"),
        *("--repeats", "1", "--json", "-q", "-o", "report"),
    )
    assert (call.code, call.err) == (0, [])
    read = json.loads("\n".join(call.out))
    figures = {figure["name"]: figure for figure in read["figures"]}
    assert 0.5 < figures["size on disk"]["b_to_a"] < 0.7
    assert figures["word error rate"]["a"] == figures["word error rate"]["b"] == 0
    assert figures["memory, at most"]["a"] > 100  # MB
    assert read["a"]["memory_loaded"] <= read["a"]["memory_peak"]
    assert figures["encoder, a window"]["a"] > 0
    assert {path.name for path in (folder / "report").iterdir()} == {
        "comparison.json",
        "comparison.html",
        "ratios.png",
        "errors.png",
    }
