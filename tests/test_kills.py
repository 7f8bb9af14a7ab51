"""A process that is killed at any moment loses nothing: the same command ends with the same bytes.

The command runs as users run it, in processes that are killed as a power cut or the system's
out-of-memory killer does it. They are forked from a server that has imported all there is, so that
most of their time is work.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from subvino.models import convert_model
from subvino.network import Dimensions
from tests import tiny_checkpoints as tiny
from tests.sounds import Track, write_media

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="forks"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

DIMENSIONS = Dimensions(80, 32, 2, 1, 2, n_vocab=2000, n_text_context=48)
N_KILLS = 17
"""For each way. The last start is let go on to its end: how soon after its last journal a command
ends differs between machines, and one that ends slowly would be killed for ever."""
FILES = ("media/0.wav", "media/1.wav", "media/2.wav")
WAYS = {
    "batches": (*FILES, "--batch-size", "3"),
    "folder": ("media", "--batch-size", "3"),
    "sequence": (*FILES, "--condition-on-previous", "--language", "de", "--temperature", "0"),
    "languages": (*FILES, "--multilingual", "--temperature", "0"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some files of many windows, and a model named mine."""
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "cache"))
    weights = tiny.random_weights(DIMENSIONS, 1)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(tmp_path / "model", DIMENSIONS, weights)
    convert_model(tmp_path / "model", "mine")
    (tmp_path / "media").mkdir()
    for number, seconds in enumerate((130, 190, 70)):
        rng = np.random.default_rng(number)
        samples = rng.normal(scale=0.1, size=seconds * 16_000).astype(np.float32)
        write_media(tmp_path / FILES[number], Track(samples, "pcm_s16le", rate=16_000))
    return tmp_path


def work(folder: str, cache: str, arguments: tuple[str, ...]) -> None:
    """A process of its own: the command, its messages in a file."""
    from subvino.cli import main

    os.environ["SUBVINO_CACHE"] = cache
    os.chdir(folder)
    with Path("said.txt").open("a") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    main(arguments)


class Command:
    """A command that is started again and again."""

    def __init__(self, place: Path, out: str, way: tuple[str, ...]) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.preloaded"])
        self._place, self.out = place, place / out
        options = ("-m", "mine", "--no-vad", "-o", out, "-f", "srt,json", "--threads", "1")
        self._arguments = (*way, *options)

    def start(self) -> BaseProcess:
        values = (str(self._place), str(self._place / "cache"), self._arguments)
        process = self._context.Process(target=work, args=values)
        process.start()
        return process

    def run_to_its_end(self) -> None:
        process = self.start()
        process.join()
        assert process.exitcode == 0, (self._place / "said.txt").read_text()

    def written(self) -> dict[str, bytes]:
        """What stands under final names; temporary files begin with a dot."""
        return {path.name: path.read_bytes() for path in self.out.glob("[!.]*")}


def journal_size(place: Path) -> int:
    """Bytes of all journals."""
    size = 0
    for path in (place / "cache" / "jobs").glob("*.journal"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def kill_some_time(process: BaseProcess, place: Path, rng: random.Random) -> bool:
    """Kill it at a random moment, mostly while it works; False if it was done before."""
    before = journal_size(place)
    is_patient = rng.random() < 0.9
    while is_patient and process.exitcode is None and journal_size(place) == before:
        time.sleep(0.002)
    process.join(rng.uniform(0.0, 0.15))
    process.kill()
    process.join()
    return process.exitcode == -9


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_killed_at_random_moments_the_files_are_the_same_to_the_byte(
    place: Path, way: tuple[str, ...]
) -> None:
    rng = random.Random(7)  # noqa: S311
    whole = Command(place, "whole", way)
    whole.run_to_its_end()
    wanted = whole.written()
    assert len(wanted) == 6
    assert journal_size(place) == 0

    killed = Command(place, "killed0", way)
    n_kills = 0
    while n_kills < N_KILLS:
        if kill_some_time(killed.start(), place, rng):
            n_kills += 1
            # Nothing half-written stands under a final name.
            assert all(wanted[name] == data for name, data in killed.written().items())
        else:
            assert killed.written() == wanted
            killed = Command(place, f"killed{n_kills}", way)
    killed.run_to_its_end()
    assert killed.written() == wanted
