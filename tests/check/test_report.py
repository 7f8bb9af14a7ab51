from __future__ import annotations

import json

import pytest

from subvino.check import RULES, choose_rules
from subvino.check.report import Finding, Report
from subvino.cues import CueRules, violations
from subvino.errors import OptionError
from subvino.subtitles import Cue, RawCue, Subtitles

REPORT = Report(
    cues=(RawCue(0, 100, "No.", 2), RawCue(4000, 6000, "Yes.", 6)),
    format="srt",
    encoding="utf-8-sig",
    language="en",
    findings=(
        Finding("min_duration_ms", 0, 1, 100, 833),
        Finding("no_cue", 2000, None, 1500, 1000, "until 0:00:03.500"),
    ),
)


def test_the_json_form_says_all() -> None:
    assert json.loads(REPORT.to_json(file="a.srt", profile="default")) == {
        "file": "a.srt",
        "profile": "default",
        "format": "srt",
        "encoding": "utf-8-sig",
        "language": "en",
        "n_cues": 2,
        "n_findings": 2,
        "notes": ["begins with a byte order mark"],
        "summary": [
            {"rule": "min_duration_ms", "count": 1, "per_100_cues": 50.0},
            {"rule": "no_cue", "count": 1, "per_100_cues": 50.0},
        ],
        "findings": [
            {
                "rule": "min_duration_ms", "time_ms": 0, "cue": 1, "line": 2, "found": 100,
                "limit": 833, "unit": "ms", "note": None, "text": "No.",
            },
            {
                "rule": "no_cue", "time_ms": 2000, "cue": None, "line": None, "found": 1500,
                "limit": 1000, "unit": "ms", "note": "until 0:00:03.500", "text": None,
            },
        ],
    }  # fmt: skip


def test_rules_are_chosen_by_either_spelling() -> None:
    assert choose_rules(None, None) == frozenset(RULES)
    assert choose_rules(["max-cps", "order"], None) == {"max_cps", "order"}
    assert choose_rules(["max-cps", "order"], ["order"]) == {"max_cps"}
    assert choose_rules(None, ["order"]) == frozenset(RULES) - {"order"}
    with pytest.raises(OptionError, match=r"no rule 'speed'; use some of: encoding, order"):
        choose_rules(None, ["speed"])


def test_a_report_keeps_the_rules_wanted_only() -> None:
    assert REPORT.only(frozenset({"no_cue"})).counts() == {"no_cue": 1}


def test_every_rule_of_the_cue_builder_is_known() -> None:
    strict = CueRules(5, 1, 1, 1, 900, 1000, 10)
    cues = (Cue(0, 800, ("too long", "too many")), Cue(800, 9000, ("x",)), Cue(9420, 9920, ("y",)))
    broken = {item.rule for item in violations(Subtitles(cues), strict)}
    assert len(broken) == 8
    assert broken <= RULES.keys()
