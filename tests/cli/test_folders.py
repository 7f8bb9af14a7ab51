"""Folders of media, with a small random network that hears something in everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subvino.cli import subtitling
from subvino.models import prepare_model
from subvino.network import Dimensions
from subvino.pipeline import Transcriber
from tests import tiny_checkpoints as tiny
from tests.cli.conftest import Call, Run
from tests.sounds import Track, write_media

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


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_watched_folder_gets_subtitles_as_files_come_and_stops_cleanly(
    films: Path, model: Path
) -> None:
    pytest.importorskip("watchdog", reason="the extra watch is not installed")
    (films / "broken.mp4").unlink()
    how = ("-m", str(model), "--no-vad", "--temperature", "0", "--language", "en", "-r")
    command = [sys.executable, "-m", "subvino", "watch", "films", "--settle", "0.2", *how]
    for there in (["films/a.en.srt", "films/series/b.en.srt"], []):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert [process.stdout.readline().strip() for _ in there] == there
            name = "c" if there else "d"
            write_media(films / f"{name}.wav", sound(5))
            assert process.stdout.readline().strip() == f"films/{name}.en.srt"
            process.send_signal(signal.SIGTERM)
            rest, told = process.communicate()
        assert process.returncode == 0
        assert rest == ""
        assert told.splitlines()[-1] == "stopped; the same command goes on where this one stopped"
