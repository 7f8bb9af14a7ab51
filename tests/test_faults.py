"""Faults of the machine around a run: full disks, read-only folders, damaged caches, odd clocks.

The disks are small ones in memory, mounted by the tests, which takes a superuser on Linux.
A process killed while it converts and a download that stalls: tests/models.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from subvino.cli import main
from subvino.models import convert_model, prepare_model
from subvino.network import Dimensions
from subvino.pipeline import EngineOptions, load_transcriber
from subvino.recognizer import DecodingOptions
from tests import tiny_checkpoints as tiny
from tests.sounds import Track, write_media

DIMENSIONS = Dimensions(80, 32, 2, 1, 2, n_vocab=2000, n_text_context=48)
MOUNT = shutil.which("mount")
NAMES = {"a.en.srt", "a.en.json"}

Mount = Callable[..., None]


@dataclass(frozen=True)
class Call:
    code: int
    err: list[str]


Run = Callable[..., Call]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A medium of three windows, a checkpoint, and a cache in which it was converted."""
    place = tmp_path_factory.mktemp("made")
    weights = tiny.random_weights(DIMENSIONS, 1)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(place / "checkpoint", DIMENSIONS, weights)
    write_noise(place / "a.wav", 70)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(place / "cache"))
        prepare_model(place / "checkpoint")
        with pytest.raises(SystemExit) as end:
            main(command(place, place / "whole"))
        assert end.value.code == 0
    return place


def write_noise(path: Path, seconds: int) -> None:
    samples = np.random.default_rng(0).normal(scale=0.1, size=seconds * 16_000)
    write_media(path, Track(samples.astype(np.float32), "pcm_s16le", rate=16_000))


def command(
    made: Path, out: Path, model: str | Path | None = None, media: Path | None = None
) -> list[str]:
    quick = ("--no-vad", "--threads", "1", "--temperature", "0", "--language", "en")
    inputs = (media or made / "a.wav", "-m", model or made / "checkpoint", "-o", out)
    return [str(word) for word in (*inputs, "-f", "srt,json", *quick)]


@pytest.fixture
def cache(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cache, in use."""
    cache = tmp_path / "cache"
    shutil.copytree(made / "cache", cache)
    monkeypatch.setenv("SUBVINO_CACHE", str(cache))
    return cache


@pytest.fixture
def run(made: Path, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, its files in the folder out."""
    assert cache.is_dir()

    def call(
        *more: str, out: Path | None = None, model: str | None = None, media: Path | None = None
    ) -> Call:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*command(made, out or tmp_path / "out", model, media), *more])
        assert isinstance(end.value.code, int)
        err = capsys.readouterr().err.splitlines()
        assert not [line for line in err if "unexpected" in line or "Traceback" in line]
        return Call(end.value.code, err)

    return call


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts an empty file system of some KiB at a folder."""
    if sys.platform != "linux" or MOUNT is None or os.geteuid() != 0:
        pytest.skip("only a superuser on Linux mounts a small disk")
    program = MOUNT
    with ExitStack() as mounted:

        def mount_at(folder: Path, kib: int, *options: str) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            how = ",".join((f"size={kib}k", *options))
            done = subprocess.run(
                [program, "-t", "tmpfs", "-o", how, "tmpfs", str(folder)],
                check=False,
                capture_output=True,
            )
            if done.returncode:
                pytest.skip("this container may not mount anything")
            mounted.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)

        yield mount_at


def fill(folder: Path) -> None:
    """Leave no byte free."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(folder).free == 0


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_outputs_on_a_full_disk_are_told_and_the_old_files_stay(
    run: Run, tmp_path: Path, mount: Mount
) -> None:
    small = tmp_path / "small"
    mount(small, 64)
    for name in NAMES:
        (small / name).write_bytes(b"good")
    fill(small)
    before = files(small)
    call = run("--overwrite", out=small)
    assert call.code == 1
    assert [line for line in call.err if line.startswith("error: ")] == [call.err[-1]]
    assert "the disk is full; free some space and run again" in call.err[-1]
    assert files(small) == before


def test_outputs_go_into_no_read_only_folder(run: Run, tmp_path: Path, mount: Mount) -> None:
    mount(tmp_path / "fixed", 64, "ro")
    call = run(out=tmp_path / "fixed")
    assert call.code == 1
    assert "may not be written; choose another --output-dir" in call.err[-1]


def test_a_journal_on_a_full_disk_is_told_and_the_work_goes_on(
    run: Run, tmp_path: Path, cache: Path, mount: Mount
) -> None:
    media = tmp_path / "long.wav"
    write_noise(media, 160)
    assert run(media=media, out=tmp_path / "whole").code == 0
    mount(cache / "jobs", 4)
    call = run(media=media)
    assert call.code == 0, call.err
    told = [line for line in call.err if "going on after a stop" in line]
    assert len(told) == 1, call.err
    assert "No space left on device" in told[0]
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert [path.name for path in (cache / "jobs").glob("*.journal")] == []


def test_a_model_that_finds_no_room_is_told_and_leaves_nothing(
    run: Run, tmp_path: Path, cache: Path, mount: Mount
) -> None:
    shutil.rmtree(cache)
    mount(cache, 128)
    call = run()
    assert call.code == 1
    assert call.err[-1].startswith("error: ")
    assert "the disk is full" in call.err[-1]
    left = [path for path in (cache / "models").iterdir() if path.name != ".locks"]
    assert left == []
    assert files(tmp_path / "out") == {}


def test_compiled_graphs_that_find_no_room_do_no_harm(
    made: Path, run: Run, tmp_path: Path, cache: Path, mount: Mount
) -> None:
    shutil.rmtree(cache / "compiled")
    mount(cache / "compiled", 200)
    for _ in range(2):
        assert run().code == 0
        assert files(tmp_path / "out") == files(made / "whole")


def test_a_read_only_cache_serves(
    made: Path, run: Run, tmp_path: Path, cache: Path, mount: Mount
) -> None:
    copy = tmp_path / "copy"
    cache.rename(copy)
    mount(cache, 16_384)
    shutil.copytree(copy, cache, dirs_exist_ok=True)
    subprocess.run([str(MOUNT), "-o", "remount,ro", str(cache)], check=True)
    call = run()
    assert call.code == 0, call.err
    assert files(tmp_path / "out") == files(made / "whole")


def flip(path: Path) -> None:
    """Change bytes in the middle, where the weights are."""
    content = bytearray(path.read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 4000)
    content[middle] = bytes(byte ^ 0x55 for byte in content[middle])
    path.chmod(0o600)
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("damage", [flip, cut, empty, Path.unlink])
@pytest.mark.parametrize("what", ["models/*/*.bin", "compiled/*/*.blob"])
def test_a_damaged_cache_is_made_anew(
    made: Path, run: Run, tmp_path: Path, cache: Path, what: str, damage: Callable[[Path], None]
) -> None:
    paths = list(cache.glob(what))
    assert paths
    for path in paths:
        damage(path)
    assert run().code == 0
    assert files(tmp_path / "out") == files(made / "whole")


def test_a_damaged_model_that_can_not_be_made_anew_is_an_error(made: Path, run: Run) -> None:
    model = convert_model(made / "checkpoint", "mine")
    assert run(model="mine").code == 0
    flip(model.path / "decoder.bin")
    call = run(model="mine")
    assert call.code == 1
    assert "no model 'mine' here" in call.err[-1]
    assert "damaged" in call.err[-1]


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_a_model_spoilt_in_use_does_no_harm(
    made: Path, cache: Path, damage: Callable[[Path], None]
) -> None:
    options = DecodingOptions(language="en", temperatures=(0.0,))
    transcriber = load_transcriber(made / "checkpoint", EngineOptions(vad=None, threads=1))
    before = list(transcriber.open(made / "a.wav", options))
    for path in (*cache.rglob("*.bin"), *cache.rglob("*.blob")):
        damage(path)
    assert list(transcriber.open(made / "a.wav", options)) == before


def test_files_of_the_future_do_no_harm(made: Path, run: Run, tmp_path: Path, cache: Path) -> None:
    assert run().code == 0
    for folder in (cache, tmp_path / "out"):
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (4e9, 4e9))
    assert run().code == 0
    assert files(tmp_path / "out") == files(made / "whole")


def work(arguments: list[str], cache: str, said: str) -> None:
    """A process of its own: the command, its messages in a file."""
    os.environ["SUBVINO_CACHE"] = cache
    with Path(said).open("w") as file:
        os.dup2(file.fileno(), 2)
    main(arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_two_processes_at_once_with_an_empty_cache_both_end_well(
    made: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    arguments = command(made, tmp_path / "out")
    processes = [
        context.Process(target=work, args=(arguments, str(tmp_path / "new"), str(tmp_path / name)))
        for name in ("one", "other")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    said = [(tmp_path / name).read_text() for name in ("one", "other")]
    assert [process.exitcode for process in processes] == [0, 0], said
    assert files(tmp_path / "out") == files(made / "whole")
