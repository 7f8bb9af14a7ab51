from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from subvino.formats import read
from tests.cli.conftest import Run

DATA = Path(__file__).parents[1] / "data" / "sync"


@pytest.fixture
def late(folder: Path) -> Path:
    """poem.en.srt, 7.5 s late and in italics, and poem.opus."""
    from subvino.formats import retime

    text = (
        (DATA / "sonnet1.srt")
        .read_text(encoding="utf-8")
        .replace("His tender", "<i>His</i> tender")
    )
    cues = read(text.encode()).cues
    moved = retime(text, "srt", cues, [(c.start_ms + 7500, c.end_ms + 7500) for c in cues])
    assert moved is not None
    Path("poem.en.srt").write_text(moved, encoding="utf-8")
    shutil.copyfile(DATA / "sonnet1.opus", "poem.opus")
    return Path("poem.en.srt")


def onsets(path: str | Path) -> list[int]:
    return [cue.start_ms for cue in read(Path(path).read_bytes()).cues]


def test_a_late_file_comes_into_step_beside_the_input_which_stays(run: Run, late: Path) -> None:
    before = late.read_bytes()
    call = run("sync", late, "--video", "poem.opus")
    assert (call.code, call.out) == (0, ["poem.en.synced.srt"])
    assert call.err == ["poem.en.srt: moved by -7.490 s"]
    assert late.read_bytes() == before
    assert "<i>His</i> tender" in Path("poem.en.synced.srt").read_text(encoding="utf-8")
    pairs = zip(onsets("poem.en.synced.srt"), onsets(DATA / "sonnet1.srt"), strict=True)
    assert max(abs(new - wanted) for new, wanted in pairs) <= 50


def test_it_tells_what_it_did_as_json(run: Run, late: Path) -> None:
    call = run("sync", late, "--video", "poem.opus", "--json", "-o", "poem.vtt")
    row = json.loads("\n".join(call.out))
    assert row["output"] == "poem.vtt"
    assert row["rate"] == 1
    assert [piece["n_cues"] for piece in row["pieces"]] == [15]
    assert Path("poem.vtt").read_text(encoding="utf-8").startswith("WEBVTT")


def test_in_place_keeps_the_original(run: Run, late: Path) -> None:
    before = late.read_bytes()
    assert run("sync", late, "--video", "poem.opus", "--in-place").code == 0
    assert Path("poem.en.srt.bak").read_bytes() == before
    assert late.read_bytes() != before


def test_a_file_that_does_not_belong_is_not_written_unless_forced(run: Run, late: Path) -> None:
    other = "".join(
        f"{n}\n00:00:{3 * n:02},000 --> 00:00:{3 * n + 2:02},900\nNo line of it\n\n"
        for n in range(1, 15)
    )
    Path("other.srt").write_text(other, encoding="utf-8")
    call = run("sync", "other.srt", "--video", "poem.opus")
    assert call.code == 1
    assert "not sure that it belongs" in call.err[-1]
    assert not Path("other.synced.srt").exists()
    assert run("sync", "other.srt", "--video", "poem.opus", "--force").code == 0
    assert Path("other.synced.srt").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["poem.en.srt"], "--video is missing"),
        (["--video", "poem.opus"], "give either FILE or --align"),
        (["poem.en.srt", "--align", "x", "--video", "poem.opus"], "give either FILE or --align"),
        (["poem.en.srt", "--video", "poem.opus", "--model", "base"], "--model needs --align"),
        (["poem.en.srt", "--video", "poem.opus", "-o", "poem.en.srt"], "is the input"),
        (["poem.en.srt", "--video", "poem.opus", "-o", "poem.doc"], "must end in one of"),
        (["poem.en.srt", "--video", "poem.opus", "--max-shift", "0"], "max_shift is 0.0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(
    run: Run, late: Path, arguments: list[str], message: str
) -> None:
    call = run("sync", *arguments)
    assert call.code == 2
    assert len(call.err) == 1
    assert message in call.err[0]


def test_a_somebody_elses_file_is_not_replaced(run: Run, late: Path) -> None:
    Path("poem.en.synced.srt").write_text("mine", encoding="utf-8")
    assert run("sync", late, "--video", "poem.opus").code == 1
    assert Path("poem.en.synced.srt").read_text(encoding="utf-8") == "mine"
    assert run("sync", late, "--video", "poem.opus", "--overwrite").code == 0


@pytest.mark.model
def test_a_text_is_aligned_and_cut_into_cues(run: Run, late: Path, real_models: Path) -> None:
    lines = [cue.text for cue in read((DATA / "sonnet1.srt").read_bytes()).cues]
    Path("poem.en.txt").write_text("\n".join(lines), encoding="utf-8")
    call = run(
        "sync",
        "--align",
        "poem.en.txt",
        "--video",
        "poem.opus",
        "-m",
        "tiny.en",
        "-f",
        "srt,vtt",
        "--overwrite",
    )
    assert (call.code, call.out) == (0, ["poem.en.srt", "poem.en.vtt"])
    assert "107 words timed" in call.err[-1]
    cues = read(Path("poem.en.srt").read_bytes()).cues
    assert " ".join(cue.text for cue in cues).split() == " ".join(lines).split()
    assert len(cues) >= 12
    other = run(
        "sync", "--align", "No trains run on Sunday", "--video", "poem.opus", "-m", "tiny.en"
    )
    assert other.code == 1
    assert "0 of the text's 5 words" in other.err[-1]


def test_a_text_file_that_is_not_there_is_missed_and_not_said(run: Run, late: Path) -> None:
    call = run("sync", "--align", "poem.doc", "--video", "poem.opus")
    assert (call.code, call.err) == (1, ["error: poem.doc: no such file; check the path"])
