from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main

from subvino.check import SpeechLimits
from subvino.cli.app import app
from subvino.cues import PROFILES
from subvino.fix import FixOptions
from tests.check import SAMPLE
from tests.cli.conftest import Run

GOOD = "1\n00:00:01,000 --> 00:00:03,000\nWe walked for hours\nto the old mill.\n"
BAD = (
    "1\n00:00:01,000 --> 00:00:03,500\n[bold]We[/bold] walked for hours.\n\n"
    "2\n00:00:03,000 --> 00:00:03,400\nTo the old mill beyond the river.\n"
)


@pytest.fixture
def talk(folder: Path) -> Path:
    """talk.en.srt, with an overlap and a cue that is too short and too fast."""
    path = Path("talk.en.srt")
    path.write_text(BAD, encoding="utf-8")
    return path


def test_a_clean_file_ends_with_0(run: Run, talk: Path) -> None:
    talk.write_text(GOOD, encoding="utf-8")
    call = run("check", talk)
    assert (call.code, call.err) == (0, [])
    assert call.out == ["talk.en.srt: 1 cue, clean"]


def test_violations_are_listed_and_summed_up_and_end_with_1(run: Run, talk: Path) -> None:
    call = run("check", talk)
    assert (call.code, call.err) == (1, [])
    rows = [line.split() for line in call.out]
    assert rows[0] == ["TIME", "CUE", "RULE", "FOUND", "LIMIT", "TEXT"]
    assert rows[1][:5] == ["0:00:03.000", "2", "overlap", "400", "0"]
    assert {row[2] for row in rows[1:4]} == {"overlap", "max_cps", "min_duration_ms"}
    assert rows[5][:2] == ["overlap", "begins"]
    assert rows[5][-2:] == ["1", "50.0"]
    assert call.out[-1] == "talk.en.srt: 2 cues, 3 violations"


def test_what_cues_say_is_never_taken_for_commands(run: Run, talk: Path) -> None:
    talk.write_text(BAD.replace("To the", "[red]\x1b[2J To the"), encoding="utf-8")
    text = "\n".join(run("check", talk).out)
    assert "[red]\\x1b[2J To the old" in text


def test_the_table_ends_after_the_rows_wanted(run: Run, talk: Path) -> None:
    call = run("check", talk, "--rows", "1")
    assert "and 2 more: --rows 0, --json or --html shows all" in call.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--only", "overlap,order"), 1),
        (("--only", "order"), 0),
        (("--ignore", "overlap,max-cps", "--ignore", "min_duration_ms"), 0),
        (("--max-violations", "3"), 0),
        (("--max-violations", "2"), 1),
        (("--max-cps", "90", "--min-duration", "0.3", "--ignore", "overlap"), 0),
        (("--quiet",), 1),
    ],
)
def test_what_counts_can_be_chosen(
    run: Run, talk: Path, arguments: tuple[str, ...], code: int
) -> None:
    assert run("check", talk, *arguments).code == code


def test_json_is_for_programs(run: Run, talk: Path) -> None:
    call = run("check", talk, "--json")
    read = json.loads("\n".join(call.out))
    assert (call.code, call.err) == (1, [])
    assert (read["file"], read["language"], read["profile"]) == ("talk.en.srt", "en", "default")
    assert [(row["rule"], row["count"]) for row in read["summary"]] == [
        ("overlap", 1), ("max_cps", 1), ("min_duration_ms", 1)
    ]  # fmt: skip


def test_the_language_comes_from_the_name_and_chooses_the_rules(run: Run, folder: Path) -> None:
    path = Path("talk.ja.forced.srt")
    path.write_text(
        GOOD.replace("We walked for hours", "日本語の字幕はここまで。"), encoding="utf-8"
    )
    read = json.loads("\n".join(run("check", path, "--json").out))
    assert read["language"] == "ja"
    assert read["findings"][0]["limit"] == 7
    assert run("check", path, "--language", "en").code == 0


def test_the_defaults_in_the_help_are_the_ones_in_force(run: Run) -> None:
    command: Any = typer.main.get_command(app)
    helps = {
        param.name: param.help
        for name in ("check", "fix")
        for param in command.commands[name].params
        if param.param_type_name == "option"
    }
    limits, fix_options = SpeechLimits(), FixOptions()
    for name in ("min_spoken", "max_uncovered", "max_early", "max_late"):
        assert f"(default: {getattr(limits, name):g})" in helps[name]
    assert f"(default: {fix_options.max_snap:g})" in helps["snap"]
    assert f"Rules for cues: {', '.join(PROFILES)} (default: default)" in helps["profile"]


def test_the_video_tells_where_a_cue_is_missing_and_the_page_shows_it(run: Run, talk: Path) -> None:
    call = run("check", talk, "--video", SAMPLE, "--html", "out/report.html", "--json")
    assert call.code == 1
    rules = {row["rule"] for row in json.loads("\n".join(call.out))["findings"]}
    assert "no_cue" in rules
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "speech without a cue" in page
    assert "[bold]We[/bold]" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.srt",), "none.srt: no such file; check the path"),
        ((".",), ".: can't be read (Is a directory)"),
        (("talk.en.srt", "--profile", "mine"), "no profile 'mine'"),
        (("talk.en.srt", "--only", "speed"), "no rule 'speed'"),
        (("talk.en.srt", "--max-early", "1"), "options about speech need --video"),
        (("talk.en.srt", "--video", "none.mp4"), "none.mp4: no such file"),
        (("talk.en.srt", "--html", "/proc/none/page.html"), "/proc/none/page.html"),
        (("garbage.srt",), "garbage.srt: no line of times"),
        (("garbage.bin",), "garbage.bin: no subtitle format that is known here"),
    ],
)
def test_what_can_not_be_checked_ends_with_2_and_a_line(
    run: Run, talk: Path, arguments: tuple[str, ...], message: str
) -> None:
    for name in ("garbage.srt", "garbage.bin"):
        Path(name).write_bytes(bytes(range(1, 32)) * 9)
    call = run("check", *arguments)
    assert (call.code, call.out) == (2, [])
    assert message in call.err[-1]
