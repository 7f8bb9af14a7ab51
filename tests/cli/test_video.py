from __future__ import annotations

import sys
from pathlib import Path

import av
import pytest

from tests.cli.conftest import Run
from tests.video.videos import difference, font_folder, frame_at, write_video

SRT = "1\n00:00:00,400 --> 00:00:01,200\nA rainbow is a\ndivision of white light.\n"


@pytest.fixture
def video(folder: Path) -> Path:
    return write_video(folder / "talk.mp4").relative_to(folder)


@pytest.fixture
def subtitles(folder: Path) -> Path:
    Path("talk.en.srt").write_text(SRT)
    return Path("talk.en.srt")


def tracks(path: Path) -> list[tuple[str, str]]:
    with av.open(str(path)) as container:
        return [
            (stream.metadata["language"], stream.metadata.get("name", ""))
            for stream in container.streams.subtitles
        ]


def test_mux_puts_several_languages_into_a_copy(run: Run, video: Path, subtitles: Path) -> None:
    Path("talk.de.srt").write_text(SRT)
    call = run("mux", video, subtitles, "talk.de.srt", "--title", "English", "--title", "Deutsch")
    assert (call.code, call.out, call.err) == (0, ["talk.subtitled.mp4"], [])
    assert tracks(Path("talk.subtitled.mp4")) == [("eng", "English"), ("deu", "Deutsch")]


def test_mux_takes_languages_in_order_and_not_too_many(
    run: Run, video: Path, subtitles: Path
) -> None:
    call = run("mux", video, subtitles, "-l", "fr", "-o", "out.mkv", "-q")
    assert (call.code, call.out) == (0, [])
    with av.open("out.mkv") as container:
        assert container.streams.subtitles[0].metadata["language"] == "fra"
    call = run("mux", video, subtitles, "-l", "fr", "-l", "de", "-o", "two.mkv")
    assert call.code == 2
    assert not Path("two.mkv").exists()


def test_burn_draws_as_asked_for(run: Run, video: Path, subtitles: Path) -> None:
    look = ("--font", "DejaVu Sans", "--fonts", font_folder(), "--position", "TOP")
    fast = ("--preset", "ultrafast", "--crf", "20")
    call = run("burn", video, subtitles, *look, *fast, "--color", "FFFF00", "--font-size", "90")
    assert (call.code, call.out, call.err) == (0, ["talk.burned.mp4"], [])
    box = difference(frame_at(video, 0.8), frame_at(Path("talk.burned.mp4"), 0.8))
    assert box is not None
    assert 0.04 < box.top < box.bottom < 0.4


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("mux", "none.mp4", "talk.en.srt"), 1, "no such file"),
        (("mux", "talk.mp4", "none.srt"), 1, "no such file"),
        (("mux", "talk.mp4", "talk.mp4"), 1, "talk.mp4"),
        (("mux", "talk.en.srt", "talk.en.srt", "-o", "x.mp3"), 2, ".mkv"),
        (("burn", "talk.mp4", "talk.en.srt", "-o", "talk.mp4"), 2, "the video itself"),
        (("burn", "talk.mp4", "talk.en.srt", "--colour", "red"), 2, "RRGGBB"),
        (("burn", "talk.mp4", "talk.en.srt", "--position", "left"), 2, "bottom, middle, top"),
        (("burn", "talk.mp4", "talk.en.srt", "--fonts", "none"), 2, "no folder"),
    ],
)
def test_every_error_is_a_line(
    run: Run, video: Path, subtitles: Path, arguments: tuple[str, ...], code: int, line: str
) -> None:
    call = run(*arguments)
    assert (call.code, len(call.err)) == (code, 1)
    assert line in call.err[0]
    assert sorted(path.name for path in Path().iterdir()) == ["talk.en.srt", "talk.mp4"]


def test_what_is_set_right_in_a_file_is_told_in_a_line(run: Run, video: Path) -> None:
    Path("bad.srt").write_text(SRT + "\n" + SRT + "\n" + SRT.replace("rainbow", "\u2600"))
    call = run("mux", video, "bad.srt")
    assert call.code == 0
    assert len(call.err) == 1
    assert "more changes: see subvino check" in call.err[0]


def test_without_ffmpeg_the_extra_is_named(
    run: Run, video: Path, subtitles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    for command in ("mux", "burn"):
        call = run(command, video, subtitles)
        assert call.code == 1
        assert 'pip install "subvino[video]"' in call.err[0]


@pytest.mark.parametrize("option", ["--mux", "--burn", "--shots"])
def test_a_transcript_has_no_picture(run: Run, saved: Path, option: str) -> None:
    call = run(saved, option)
    assert call.code == 2
    assert call.err == [f"error: talk.en.json: {option} needs a video file; save it as one first"]


@pytest.mark.model
def test_a_video_becomes_subtitles_and_copies_with_them_inside(
    run: Run, folder: Path, real_models: Path
) -> None:
    sample = Path(__file__).parents[2] / "samples" / "rainbow.mp4"
    Path("talk.mp4").write_bytes(sample.read_bytes())
    call = run("talk.mp4", "--model", "tiny.en", "--mux", "--burn", "--shots", "--words")
    assert (call.code, call.out) == (0, ["talk.en.srt", "talk.subtitled.mp4", "talk.burned.mp4"])
    assert tracks(Path("talk.subtitled.mp4"))[0][0] == "eng"
    again = run("talk.mp4", "--model", "tiny.en", "--mux")
    assert again.code == 1
    assert "exists already; use --overwrite" in again.err[0]
