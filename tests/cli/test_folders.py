"""Folders of media, with a small random network that hears something in everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from subvino.cli import subtitling
from subvino.models import prepare_model
from subvino.network import Dimensions
from subvino.pipeline import Transcriber
from tests import tiny_checkpoints as tiny
from tests.cli.conftest import Call, Run
from tests.sounds import Track, write_media
from tests.video.videos import write_video

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
DIMENSIONS = Dimensions(80, 32, 2, 1, 2, n_vocab=2000, n_text_context=48)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted model, by its folder."""
    place = tmp_path_factory.mktemp("model")
    weights = tiny.random_weights(DIMENSIONS, 1)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(place / "mine", DIMENSIONS, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(place / "cache"))
        return prepare_model(place / "mine").path


@pytest.fixture(autouse=True)
def loaded(load_once: Callable[..., Transcriber], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtitling, "load_transcriber", load_once)


def sound(seed: int, seconds: float = 3.0, language: str = "") -> Track:
    samples = np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * 16_000))
    metadata = {"language": language} if language else {}
    return Track(samples.astype(np.float32), "pcm_s16le", rate=16_000, metadata=metadata)


@pytest.fixture
def films(folder: Path) -> Path:
    """films/a.wav, films/series/b.mkv (German) and films/broken.mp4."""
    films = Path("films")
    (films / "series").mkdir(parents=True)
    write_media(films / "a.wav", sound(1))
    write_media(films / "series" / "b.mkv", sound(2, language="ger"))
    (films / "broken.mp4").write_bytes(b"no media")
    return films


@pytest.fixture
def take(run: Run, model: Path) -> Run:
    """The command on the folder films, with a quick way of decoding."""

    def call(*arguments: str | Path) -> Call:
        how = ("-m", model, "--no-vad", "--temperature", "0", "--language", "en")
        return run("films", "--recursive", *how, *arguments)

    return call


def states(call: Call) -> dict[str, tuple[str, str]]:
    """What became of each file, by its name."""
    summary: dict[str, Any] = json.loads("\n".join(call.out))
    return {Path(row["input"]).name: (row["state"], row["reason"]) for row in summary["inputs"]}


def test_every_file_of_a_folder_gets_subtitles_beside_it_and_a_table_sums_up(
    take: Run, films: Path
) -> None:
    call = take()
    assert call.code == 1
    written = [str(films / "a.en.srt"), str(films / "series" / "b.en.srt")]
    assert call.out == written
    assert "error: films/broken.mp4: not a media file that FFmpeg knows" in call.err
    assert call.err[-5:-3] == ["done    2", "failed  1"]
    assert call.err[-3].startswith("sound   0:00:06 in 0:")
    assert call.err[-2] == "1 of 3 inputs failed:"


def test_files_heard_in_one_batch_have_the_bytes_that_each_has_alone(
    run: Run, model: Path, folder: Path
) -> None:
    how = ("-m", model, "--no-vad", "-f", "srt,json", "--temperature", "0", "--batch-size", "4")
    clips = Path("clips")
    clips.mkdir()
    for seed, seconds in enumerate((3.0, 41.0, 0.4, 33.0, 7.5)):
        write_media(clips / f"{seed}.wav", sound(seed, seconds))
    assert run(clips, "-o", "together", *how).code == 0
    together = {path.name: path.read_bytes() for path in Path("together").iterdir()}
    assert len(together) == 10
    for clip in clips.iterdir():
        assert run(clip, "-o", "alone", *how).code == 0
    assert {path.name: path.read_bytes() for path in Path("alone").iterdir()} == together


def test_what_is_done_is_not_done_again_until_it_changes(take: Run, films: Path) -> None:
    (films / "broken.mp4").unlink()
    assert set(states(take("--json")).values()) == {("done", "")}
    again = take("--json")
    assert again.code == 0
    assert set(states(again).values()) == {("skipped", "done before")}

    (films / "a.en.srt").unlink()
    write_media(films / "new.wav", sound(3))
    assert states(take("--json")) == {
        "a.wav": ("done", ""),
        "b.mkv": ("skipped", "done before"),
        "new.wav": ("done", ""),
    }
    write_media(films / "series" / "b.mkv", sound(4, seconds=4.0))
    assert states(take("--json"))["b.mkv"] == ("done", "")


def test_what_is_done_in_another_way_is_done_again(take: Run, films: Path) -> None:
    (films / "broken.mp4").unlink()
    take()
    assert set(states(take("--json", "--format", "vtt")).values()) == {("done", "")}
    assert set(states(take("--json", "--no-resume")).values()) == {("done", "")}


def test_what_was_done_is_known_without_opening_it(
    take: Run, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network share of ten thousand files: only what is wrong is opened again."""
    take()
    opened: list[str] = []
    real_open = Path.open

    def watched_open(path: Path, *args: Any, **values: Any) -> Any:
        opened.append(path.name)
        return real_open(path, *args, **values)

    monkeypatch.setattr(Path, "open", watched_open)
    take()
    assert {"a.wav", "b.mkv", "broken.mp4"} & set(opened) == {"broken.mp4"}


def test_outputs_elsewhere_lie_in_the_same_folders(take: Run, films: Path) -> None:
    take("--output-dir", "out")
    found = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.srt"))
    assert found == ["a.en.srt", "series/b.en.srt"]


def test_files_with_subtitles_can_be_left_out(take: Run, films: Path) -> None:
    (films / "a.de.srt").write_text("somebody else's")
    told = states(take("--json", "--skip-subtitled", "German,fr"))
    assert told["a.wav"] == ("skipped", "has subtitles")
    assert told["b.mkv"] == ("done", "")


def test_files_in_other_languages_can_be_left_out(take: Run, films: Path) -> None:
    told = states(take("--json", "--audio-language", "de"))
    assert told["a.wav"] == ("skipped", "in another language")
    assert told["b.mkv"] == ("done", "")


def test_a_folder_by_itself_and_only_some_endings(take: Run, run: Run, films: Path) -> None:
    told = states(take("--json", "--extensions", "wav,.MKV"))
    assert set(told) == {"a.wav", "b.mkv"}


def test_a_language_that_there_is_not_is_refused(take: Run, films: Path) -> None:
    call = take("--skip-subtitled", "klingon")
    assert call.code == 2
    assert "klingon" in call.err[0]


def test_an_empty_folder_is_no_error(run: Run, folder: Path) -> None:
    os.mkdir("films")  # noqa: PTH102
    call = run("films")
    assert call.code == 0
    assert call.err[0] == "films: no media files in it"


def test_a_file_never_takes_the_place_of_anothers_subtitles_in_whichever_run(
    take: Run, films: Path
) -> None:
    (films / "broken.mp4").unlink()
    write_media(films / "a.mkv", sound(3))
    for reason in ("", "done before"):
        call = take("--json", "--extensions", "mkv,wav")
        told = states(call)
        assert call.code == 1
        assert told["a.mkv"] == ("done" if not reason else "skipped", reason)
        assert told["a.wav"][1].startswith("films/a.wav: would write the same files as films/a.mkv")
    write_media(films / "a.avi", sound(4))
    assert states(take("--json"))["a.avi"][0] == "failed"  # though it comes first by its name
    os.utime(films / "a.mkv", (1, 1))  # as if changed
    told = states(take("--json"))
    assert (told["a.mkv"][0], told["a.avi"][0], told["a.wav"][0]) == ("done", "failed", "failed")


def test_files_of_two_folders_never_take_each_others_place_in_one(
    run: Run, model: Path, folder: Path
) -> None:
    for seed, name in enumerate(("one", "two")):
        Path(name).mkdir()
        write_media(Path(name) / "x.wav", sound(seed))
    how = ("-m", model, "--no-vad", "--temperature", "0", "--language", "en", "-o", "out")
    assert run("two", *how).code == 0
    for _ in range(2):
        call = run("one", "two", *how)
        assert call.code == 1
        same = "error: one/x.wav: would write the same files as two/x.wav; "
        assert next(line for line in call.err if line.startswith("error")).startswith(same)


@pytest.mark.parametrize("again", ["films", "./films/", "films/a.wav", "films/../films"])
def test_what_is_named_twice_is_done_once(take: Run, films: Path, again: str) -> None:
    (films / "broken.mp4").unlink()
    for state in (("done", ""), ("skipped", "done before")):
        call = take("--json", again)
        assert call.code == 0
        assert states(call) == {"a.wav": state, "b.mkv": state}
        assert json.loads("\n".join(call.out))[state[0]] == 2


def test_a_file_named_twice_is_done_once(run: Run, model: Path, films: Path) -> None:
    file = films / "a.wav"
    call = run(file, file.absolute(), file, "-m", model, "--no-vad", "--temperature", "0", "--json")
    assert (call.code, states(call)) == (0, {"a.wav": ("done", "")})


@pytest.mark.parametrize("place", ["", "folders"])
def test_without_a_place_in_the_cache_all_is_done_and_one_line_says_so(
    take: Run, films: Path, folder: Path, place: str
) -> None:
    cache = folder.parent / "cache" / place
    cache.parent.mkdir(exist_ok=True)
    cache.touch()
    (films / "broken.mp4").unlink()
    call = take()
    assert call.code == 0
    assert call.out == ["films/a.en.srt", "films/series/b.en.srt"]
    assert [line for line in call.err if "cache" in line or "kept" in line] == [
        f"what is done can't be kept for going on after a stop ({call.err[0].partition('(')[2]}"
    ]


def test_a_damaged_file_is_told_of_in_every_run_until_it_is_whole(take: Run, films: Path) -> None:
    (films / "broken.mp4").unlink()
    noise = Track(sound(1).samples, "flac", rate=16_000)
    content = bytearray(write_media(films / "x.flac", noise).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    (films / "x.flac").write_bytes(content)
    for _ in range(2):
        call = take("--json")
        state, reason = states(call)["x.flac"]
        assert (call.code, state) == (1, "failed")
        assert "could not be read" in reason
        assert (films / "x.en.srt").exists()
    write_media(films / "x.flac", noise)
    assert states(take("--json"))["x.flac"] == ("done", "")


@pytest.mark.parametrize("out", [(), ("-o", "films/out"), ("-o", "films")])
def test_videos_with_subtitles_are_no_new_media_of_their_folder(
    take: Run, films: Path, out: tuple[str, ...]
) -> None:
    write_video(films / "v.mp4")
    how = ("--mux", "--extensions", "mp4,mkv", "--json", *out)
    (films / "broken.mp4").unlink()
    for state in (("done", ""), ("skipped", "done before")):
        assert states(take(*how)) == {"v.mp4": state, "b.mkv": state}
    assert len(list(films.rglob("*.subtitled.*"))) == 2
    assert set(states(take("--json"))) == {"a.wav", "v.mp4", "b.mkv"}  # in another way, too


def test_a_video_with_subtitles_is_taken_where_it_is_named(
    take: Run, run: Run, model: Path, films: Path
) -> None:
    video = write_video(films / "v.mp4")
    assert run(video, "-m", model, "--no-vad", "--temperature", "0", "--mux").code == 0
    made = films / "v.subtitled.mp4"
    call = run(made, "-m", model, "--no-vad", "--temperature", "0", "--json")
    assert states(call) == {made.name: ("done", "")}


def test_what_mux_made_is_no_new_media(run: Run, take: Run, films: Path) -> None:
    video = write_video(films / "v.mp4")
    Path("v.srt").write_text("1\n00:00:00,400 --> 00:00:01,200\nA rainbow.\n")
    assert run("mux", video, "v.srt", "-o", films / "film.mkv").code == 0
    assert set(states(take("--json"))) == {"a.wav", "b.mkv", "v.mp4", "broken.mp4"}


@contextmanager
def watching(model: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`subvino watch films` with a quick way of decoding, ended if the test fails."""
    pytest.importorskip("watchdog", reason="the extra watch is not installed")
    how = ("-m", str(model), "--no-vad", "--temperature", "0", "--language", "en", "-r")
    command = [sys.executable, "-m", "subvino", "watch", "films", "--settle", "0.2", *how, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[str]) -> tuple[list[str], list[str]]:
    """Stop it as a service manager does; gives what else it said, on stdout and stderr."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    assert process.returncode == 0
    return out.splitlines(), err.splitlines()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@POSIX
def test_a_watch_remembers_whose_files_are_whose(films: Path, model: Path) -> None:
    (films / "broken.mp4").unlink()
    with watching(model) as process:
        assert [read_line(process) for _ in range(2)] == [
            "films/a.en.srt",
            "films/series/b.en.srt",
        ]
        write_media(films / "a.mkv", sound(3))
        write_media(films / "c.wav", sound(4))
        assert read_line(process) == "films/c.en.srt"
        write_media(films / "a.wav", sound(5))
        assert read_line(process) == "films/a.en.srt"
        out, err = stop(process)
    assert out == []
    assert [line for line in err if line.startswith("error")] == [
        "error: films/a.mkv: would write the same files as films/a.wav; "
        "run it alone with another --output-dir"
    ]


@POSIX
def test_a_watch_without_a_cache_does_each_file_once_and_says_so_in_a_line(
    films: Path, model: Path, folder: Path
) -> None:
    (films / "broken.mp4").unlink()
    (folder.parent / "cache").touch()
    with watching(model) as process:
        assert [read_line(process) for _ in range(2)] == [
            "films/a.en.srt",
            "films/series/b.en.srt",
        ]
        write_media(films / "c.wav", sound(4))
        assert read_line(process) == "films/c.en.srt"
        out, err = stop(process)
    assert out == []
    assert len([line for line in err if "can't be kept" in line]) == 1


@POSIX
def test_a_watch_does_not_take_the_videos_that_it_makes(films: Path, model: Path) -> None:
    (films / "broken.mp4").unlink()
    write_video(films / "v.mp4")
    with watching(model, "--mux", "-o", "films/out", "--extensions", "mp4,mkv") as process:
        made = {read_line(process) for _ in range(4)}
        assert made == {
            *("films/out/v.en.srt", "films/out/v.subtitled.mp4"),
            *("films/out/series/b.en.srt", "films/out/series/b.subtitled.mkv"),
        }
        write_media(films / "c.mkv", sound(4))
        assert [read_line(process) for _ in range(2)] == [
            "films/out/c.en.srt",
            "films/out/c.subtitled.mkv",
        ]
        assert stop(process)[0] == []


@POSIX
def test_a_watch_waits_for_another_process_to_leave_the_folder(
    take: Run, films: Path, model: Path, folder: Path
) -> None:
    (films / "broken.mp4").unlink()
    assert take().code == 0
    write_media(films / "c.wav", sound(4))
    (ledger,) = (folder.parent / "cache" / "folders").glob("*.ledger")
    with FileLock(ledger.with_suffix(".lock"), timeout=0) as lock, watching(model) as process:
        assert process.stderr is not None
        told = [process.stderr.readline().strip() for _ in range(2)]
        assert told[1] == "films: another process is at work on it; tries again until that ends"
        lock.release()
        assert read_line(process) == "films/c.en.srt"
        assert stop(process)[0] == []


@POSIX
def test_a_watched_folder_gets_subtitles_as_files_come_and_stops_cleanly(
    films: Path, model: Path
) -> None:
    (films / "broken.mp4").unlink()
    for there in (["films/a.en.srt", "films/series/b.en.srt"], []):
        with watching(model) as process:
            assert [read_line(process) for _ in there] == there
            name = "c" if there else "d"
            write_media(films / f"{name}.wav", sound(5))
            assert read_line(process) == f"films/{name}.en.srt"
            out, err = stop(process)
        assert out == []
        assert err[-1] == "stopped; the same command goes on where this one stopped"
