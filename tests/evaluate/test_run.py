from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subvino.errors import OptionError
from subvino.evaluate import EvaluateOptions, TimedText, evaluate
from tests.evaluate.made_up import Parrot, make_clip, make_manifest, say

SAYS = {"a": say("eins"), "long b": say("zwei")}


def test_engines_take_turns_file_by_file_after_one_run_to_warm_up(tmp_path: Path) -> None:
    timed = replace(make_clip(tmp_path, "long b", "zwei"), words=(TimedText("zwei", 0.0, 2.0),))
    sets = [make_manifest("one", make_clip(tmp_path, "a", "eins")), make_manifest("two", timed)]
    calls: list[str] = []
    engines = [Parrot("x", SAYS, calls), Parrot("y", SAYS, calls)]
    report = evaluate(sets, engines)
    assert calls == [
        "x a None True",
        "y a None True",
        "x a None False",
        "y a None False",
        "x long b None True",
        "y long b None True",
    ]
    assert [(r.manifest, r.clip, r.engine) for r in report.results] == [
        ("one", "a", "x"),
        ("one", "a", "y"),
        ("two", "long b", "x"),
        ("two", "long b", "y"),
    ]
    assert all(result.seconds > 0 for result in report.results)


def test_the_language_is_told_only_where_it_is_known(tmp_path: Path) -> None:
    clips = (make_clip(tmp_path, "a", "eins"), make_clip(tmp_path, "long b", "", language=None))
    calls: list[str] = []
    evaluate([make_manifest("one", *clips)], [Parrot("x", SAYS, calls)], EvaluateOptions(True))
    assert calls[1:] == ["x a de False", "x long b None False"]


def test_progress_counts_the_runs(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    sets = [make_manifest("one", make_clip(tmp_path, "a", "eins"))]
    evaluate(sets, [Parrot("x", SAYS, [])], progress=lambda *news: told.append(news))
    assert told == [(0, 1, "one/a · x"), (1, 1, "done")]


def test_names_must_tell_engines_and_sets_apart(tmp_path: Path) -> None:
    one = make_manifest("one", make_clip(tmp_path, "a", "eins"))
    parrot = Parrot("x", SAYS, [])
    for sets, engines in (([one, one], [parrot]), ([one], [parrot, parrot]), ([one], [])):
        with pytest.raises(OptionError):
            evaluate(sets, engines)
