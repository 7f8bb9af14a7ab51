"""Subtitles whose cues can't keep the rules of their profile are not written without a word."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from subvino.check import RULES
from subvino.cli.broken_rules import KINDS, count_rules, describe_broken
from subvino.cues import CueRules, build_cues, rules_for, violations
from subvino.transcript import Segment, Transcript, Word
from tests.cli.conftest import Run

FAST = "Never before had so many people talked as fast as this man talked about his old house."
NOTE = "; subvino check says which"


def spoken(text: str, pace: float, after: float = 0.0) -> Segment:
    """A sentence said at so many seconds a word."""
    words = tuple(
        Word(f" {word}", after + at * pace, after + (at + 1) * pace, 1.0)
        for at, word in enumerate(text.split())
    )
    return Segment(text, after, words[-1].end, words)


@pytest.fixture
def fast(folder: Path) -> Path:
    """A saved transcript of somebody who says one sentence too fast and one slowly."""
    slow = spoken("Then he was silent.", 0.5, 20.0)
    talk = Transcript((spoken(FAST, 0.12), slow), "en", 0.98, 30.0, "talk.mp4")
    path = Path("talk.en.json")
    path.write_text(talk.to_json(), encoding="utf-8")
    return path


def broken_by_check(run: Run, file: str, *options: str) -> Counter[str]:
    """Cues by the rule of the profile they break, as `check` finds them in the file."""
    found = json.loads("\n".join(run("check", file, "--json", *options).out))["findings"]
    return Counter(row["rule"] for row in found if row["rule"] in KINDS)


@pytest.mark.parametrize("profile", ["default", "bbc", "social-vertical"])
def test_a_line_tells_what_check_finds_in_the_file(run: Run, fast: Path, profile: str) -> None:
    call = run(fast, "--profile", profile)
    assert (call.code, call.out) == (0, ["talk.en.srt"])
    (line,) = call.err
    n_cues = Path("talk.en.srt").read_text().count("-->")
    assert f" of {n_cues} cues break" in line
    assert f"a rule of profile {profile} (reading speed " in line
    assert line.startswith("talk.en.json: ")
    assert line.endswith(NOTE)
    summary = json.loads("\n".join(run(fast, "--profile", profile, "--json").out))
    found = broken_by_check(run, "talk.en.srt", "--profile", profile)
    assert summary["inputs"][0]["broken"] == found != {}


def test_nothing_is_said_where_the_rules_are_kept(run: Run, saved: Path, fast: Path) -> None:
    assert run(fast, "--max-cps", "60").err == []
    (row,) = json.loads("\n".join(run(fast, "--max-cps", "60", "--json").out))["inputs"]
    assert row["broken"] == {}


def test_quiet_says_nothing(run: Run, fast: Path) -> None:
    assert run(fast, "--quiet").err == []


def test_only_files_that_can_be_checked_are_spoken_of(run: Run, fast: Path) -> None:
    assert run(fast, "-f", "txt,tsv,lrc,json", "-o", "texts").err == []
    assert len(run(fast, "-f", "txt,vtt", "-o", "both").err) == 1
    # Of these the subtitles stood there before.
    assert run(fast, "-f", "txt,vtt,json", "-o", "both", "--skip-existing").err == []


def test_every_rule_of_a_profile_has_its_kind() -> None:
    names = {field.name for field in fields(CueRules)} | {"min_gap_ms"}
    assert set(KINDS) == names & set(RULES)


def test_ten_hours_are_looked_through_in_no_time() -> None:
    talk = tuple(spoken(FAST, 0.2, 4.0 * at) for at in range(9000))
    rules = rules_for("bbc", "en")
    cues = build_cues(Transcript(talk, "en", 1.0, 36_000.0), rules)
    began = time.process_time()
    found = violations(cues, rules)
    assert count_rules(found)["max_wpm"] >= 9000
    assert "reading speed" in describe_broken(found, len(cues.cues), "bbc")
    assert time.process_time() - began < 1.0
