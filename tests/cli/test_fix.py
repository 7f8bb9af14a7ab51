from __future__ import annotations

import json
from pathlib import Path

import pysubs2
import pytest

from tests.check import SAMPLE
from tests.cli.conftest import SAID, Run

BAD = (
    "1\n00:00:01,000 --> 00:00:03,500\n<i>We walked &amp; talked.</i>\n\n"
    "2\n00:00:03,000 --> 00:00:03,400\nTo the old mill.\n"
)
FIXED = (
    "1\n00:00:01,000 --> 00:00:02,917\nWe walked & talked.\n\n"
    "2\n00:00:03,000 --> 00:00:03,833\nTo the old mill.\n"
)


@pytest.fixture
def talk(folder: Path) -> Path:
    """talk.en.srt, with an overlap, a flash and an entity."""
    path = Path("talk.en.srt")
    path.write_text(BAD, encoding="utf-8")
    return path


def test_the_fixed_file_lies_beside_the_input_which_stays(run: Run, talk: Path) -> None:
    call = run("fix", talk)
    assert (call.code, call.out) == (0, ["talk.en.fixed.srt"])
    assert Path("talk.en.fixed.srt").read_text(encoding="utf-8") == FIXED
    assert talk.read_text(encoding="utf-8") == BAD
    assert [line.split()[:3] for line in call.err[:3]] == [
        ["TIME", "CUE", "CHANGE"], ["0:00:01.000", "1", "text"], ["0:00:01.000", "1", "settled"]
    ]  # fmt: skip
    assert call.err[-1] == "violations: 4 before, 0 now"
    assert run("check", "talk.en.fixed.srt").code == 0


def test_fixing_again_changes_nothing(run: Run, talk: Path) -> None:
    run("fix", talk)
    call = run("fix", "talk.en.fixed.srt", "-o", "again.srt")
    assert call.err == ["nothing to change", "violations: 0 before, 0 now"]
    assert Path("again.srt").read_bytes() == Path("talk.en.fixed.srt").read_bytes()


def test_in_place_keeps_every_original(run: Run, talk: Path) -> None:
    assert run("fix", talk, "--in-place").code == 0
    assert talk.read_text(encoding="utf-8") == FIXED
    assert Path("talk.en.srt.bak").read_text(encoding="utf-8") == BAD
    assert run("fix", talk, "--in-place").code == 0
    assert not Path("talk.en.srt.bak2").exists()
    talk.write_text(BAD * 2, encoding="utf-8")
    assert run("fix", talk, "--in-place").code == 0
    assert Path("talk.en.srt.bak").read_text(encoding="utf-8") == BAD
    assert Path("talk.en.srt.bak2").read_text(encoding="utf-8") == BAD * 2


def test_the_output_s_ending_says_its_format(run: Run, talk: Path) -> None:
    call = run("fix", talk, "--output", "new/talk.ass", "--quiet")
    assert (call.code, call.out, call.err) == (0, [], [])
    assert [event.plaintext for event in pysubs2.load("new/talk.ass")] == [
        "We walked & talked.", "To the old mill.",
    ]  # fmt: skip


def test_a_file_of_somebody_else_is_not_replaced_unasked(run: Run, talk: Path) -> None:
    Path("talk.en.fixed.srt").write_text("mine", encoding="utf-8")
    call = run("fix", talk)
    assert (call.code, call.out) == (1, [])
    assert "exists already; use --overwrite" in call.err[0]
    assert Path("talk.en.fixed.srt").read_text(encoding="utf-8") == "mine"
    assert run("fix", talk, "--overwrite").code == 0
    assert run("fix", talk).code == 0


def test_other_encodings_become_utf_8_and_a_mark_is_kept(run: Run, talk: Path) -> None:
    talk.write_bytes(BAD.replace("We", "Grüße").encode("cp1252"))
    run("fix", talk, "--in-place")
    assert "Grüße" in talk.read_text(encoding="utf-8")
    talk.write_bytes(BAD.encode("utf-8-sig"))
    run("fix", talk)
    assert Path("talk.en.fixed.srt").read_bytes().startswith(b"\xef\xbb\xbf1\n")


def test_the_video_moves_in_times_onto_the_speech(run: Run, talk: Path) -> None:
    Path("talk.en.srt").write_text("1\n00:00:00,000 --> 00:00:03,000\nSo.\n", encoding="utf-8")
    call = run("fix", talk, "--video", SAMPLE, "--snap", "2", "--json")
    (change, *_) = json.loads("\n".join(call.out))["changes"]
    assert change["kind"] == "start"
    assert run("fix", talk, "--video", SAMPLE, "--snap", "0").err[0] == "nothing to change"


def test_a_saved_transcript_becomes_cues(run: Run, saved: Path) -> None:
    call = run("fix", saved)
    assert call.out == ["talk.en.fixed.srt"]
    text = " ".join(event.plaintext for event in pysubs2.load("talk.en.fixed.srt"))
    assert text.split() == " ".join(SAID).split()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.srt",), 1, "none.srt: no such file"),
        (("talk.en.srt", "-o", "talk.en.srt"), 2, "is the input; use --in-place"),
        (("talk.en.srt", "-o", "x.srt", "--in-place"), 2, "don't go together"),
        (("talk.en.srt", "-o", "x.doc"), 2, "must end in one of: .srt, .vtt"),
        (("talk.en.srt", "--snap", "1"), 2, "options about speech need --video"),
        (("talk.en.srt", "--max-chars", "0"), 2, "max_chars is 0"),
        (("talk.en.json", "--in-place"), 2, "use --output"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line_and_changes_nothing(
    run: Run, talk: Path, saved: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    call = run("fix", *arguments)
    assert (call.code, call.out) == (code, [])
    assert message in call.err[-1]
    assert {path.name for path in Path().iterdir()} == {"talk.en.srt", "talk.en.json"}
