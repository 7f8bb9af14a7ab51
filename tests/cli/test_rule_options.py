"""Each rule of cues is an option of every command in which it makes a difference."""

from __future__ import annotations

import json
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from subvino.cli.subtitle_input import RULE_NAMES, RuleOptions
from subvino.cues import CueRules
from subvino.formats import read
from tests.cli.conftest import Run, built_command


@pytest.mark.parametrize("name", ["transcribe", "watch", "check", "fix", "sync"])
def test_each_rule_is_an_option_of_the_command(name: str) -> None:
    known = {parameter.name for parameter in built_command().commands[name].params}
    # A subtitle file does not tell when the speech under a cue ends.
    without_effect = {"max_linger"} if name in ("check", "fix") else set()
    assert known & set(RULE_NAMES) == set(RULE_NAMES) - without_effect


@pytest.mark.parametrize("name", ["check", "fix"])
def test_a_rule_that_can_not_be_kept_is_refused(run: Run, folder: Path, name: str) -> None:
    Path("talk.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello!\n")
    call = run(name, "talk.en.srt", "--max-linger", "2")
    assert call.code == 2
    assert "--max-linger" in " ".join(call.err)
    assert not Path("talk.en.fixed.srt").exists()


def test_each_rule_can_be_changed_and_keeps_its_unit() -> None:
    numbers = [float(n) for n in range(1, len(fields(CueRules)) + 1)]
    values = dict(zip([x for x in RULE_NAMES if x != "profile"], numbers, strict=True))
    changes = RuleOptions(None, **values).changes  # type: ignore[arg-type]
    assert set(changes) == {field.name for field in fields(CueRules)}
    in_ms = {name: value for name, value in changes.items() if name.endswith("_ms")}
    assert in_ms == {
        f"{name}_ms": 1000 * values[name]
        for name in ("min_duration", "max_duration", "chain_gap", "max_linger")
    }


def test_a_transcript_is_cut_anew_by_the_rules_given(run: Run, folder: Path) -> None:
    words = [
        {"text": f" {text}", "start": at, "end": at + 0.4, "probability": 1.0}
        for at, text in enumerate(["One", "two.", "Three", "four."])
    ]
    segment = {"text": "One two. Three four.", "start": 0.0, "end": 3.4, "words": words}
    text = {"language": "en", "language_probability": 1.0, "duration": 9.0, "segments": [segment]}
    Path("talk.en.json").write_text(json.dumps(text))
    rules = ("--max-duration", "1.9", "--min-gap", "10", "--frame-rate", "25")
    assert run("talk.en.json", *rules, "--chain-gap", "5").code == 0
    cues = read(Path("talk.en.srt").read_bytes(), "talk.en.srt").cues
    gaps = {later.start_ms - cue.end_ms for cue, later in pairwise(cues)}
    assert min(gaps) == 400
