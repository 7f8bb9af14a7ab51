"""`subvino serve` as a process of its own, with a real model: whole jobs, and being killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pysubs2
import pytest
import requests

from tests.server.conftest import CLIP, s16le
from tests.server.test_asr_api import ask

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9"),
]

RAINBOW = Path(__file__).parents[2] / "samples" / "rainbow.mp4"


@dataclass
class Served:
    """A running server; `lines`: what it logged, once it has ended."""

    process: subprocess.Popen[str]
    address: str
    lines: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """As `kill -9` does it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serve(folder: Path, *arguments: str) -> Iterator[Served]:
    """The log goes to a file: a pipe that nobody reads would fill and hold the server up."""
    command = [sys.executable, "-m", "subvino", "serve", "--model", "tiny.en", "--port", "0"]
    command += ["--folder", str(folder), "--log", "json", "--no-page", *arguments]
    path = folder.parent / "server.log"
    with path.open("w") as log, subprocess.Popen(command, stderr=log, text=True) as process:
        served = Served(process, address_in(path, process))
        try:
            yield served
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait()
            served.lines.extend(path.read_text().splitlines())


def address_in(path: Path, process: subprocess.Popen[str]) -> str:
    """Where the server listens, when it has said so in its log."""
    while process.poll() is None:
        found = re.search(r"running on (http://127\.0\.0\.1:\d+)", path.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    pytest.fail(path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(autouse=True)
def models(real_models: Path, cache: None) -> None:
    """The session's cache of real models, in place of the tiny one's."""
    os.environ["SUBVINO_CACHE"] = str(real_models)


def submit(served: Served, content: bytes, **fields: str) -> str:
    files = {"file": ("talk.flac", content)}
    answer = requests.post(f"{served.address}/jobs", files=files, data=fields, timeout=60)
    assert answer.status_code == 202
    return str(answer.json()["id"])


def job(served: Served, job_id: str) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(f"{served.address}/jobs/{job_id}", timeout=60).json()
    return told


def finish(served: Served, job_id: str) -> str:
    with requests.get(f"{served.address}/jobs/{job_id}/events", stream=True, timeout=60) as answer:
        for _ in answer.iter_lines():
            pass
    return str(job(served, job_id)["state"])


def text(served: Served, job_id: str) -> str:
    url = f"{served.address}/jobs/{job_id}/result?format=txt"
    return requests.get(url, timeout=60).text


def test_one_command_serves_the_openai_client_and_bazarr(folder: Path) -> None:
    with serve(folder) as served:
        client = openai.OpenAI(base_url=f"{served.address}/v1", api_key="none")
        told = client.audio.transcriptions.create(file=RAINBOW, model="whisper-1")
        assert "long round arch" in told.text
        stream = client.audio.transcriptions.create(file=CLIP, model="tiny.en", stream=True)
        deltas = [event.delta for event in stream if event.type == "transcript.text.delta"]
        assert "rainbow" in "".join(deltas).lower()
        sound = s16le(RAINBOW)
        language = ask(served.address, "detect-language", sound, encode="false").json()
        assert (language["language_code"], language["detected_language"]) == ("en", "english")
        params = {"task": "transcribe", "language": "en", "output": "srt", "encode": "false"}
        subtitles = pysubs2.SSAFile.from_string(ask(served.address, "asr", sound, **params).text)
        assert "pot of gold" in " ".join(line.text.replace("\\N", " ") for line in subtitles)
    assert served.process.returncode in (0, -signal.SIGTERM)
    rows = [json.loads(line) for line in served.lines]
    assert {row["path"] for row in rows if row["message"] == "request"} >= {"/asr"}


def test_ten_jobs_that_a_kill_interrupts_all_end_as_they_should(folder: Path) -> None:
    """Each has some samples more of silence than the one before: ten sounds, the same words."""
    sounds = [CLIP.read_bytes() + bytes(n) for n in range(1, 11)]
    with serve(folder) as served:
        asked = [submit(served, sound, beam_size="2") for sound in sounds]
        assert requests.post(f"{served.address}/jobs/{asked[7]}/cancel", timeout=60).ok
        while job(served, asked[1])["state"] in ("queued", "running"):
            time.sleep(0.05)
        served.kill()
    with serve(folder) as served:
        states = [finish(served, job_id) for job_id in asked]
        assert states == ["done"] * 7 + ["cancelled"] + ["done"] * 2
        texts = {text(served, job_id) for job_id in asked if job_id != asked[7]}
        assert texts == {text(served, submit_done(served, sounds[0]))}
        assert "rainbow" in texts.pop().lower()


def submit_done(served: Served, sound: bytes) -> str:
    """A job for the sound alone, heard anew."""
    job_id = submit(served, sound, beam_size="2", clip="0-")
    assert finish(served, job_id) == "done"
    return job_id


def test_a_second_server_on_the_folder_is_told_so_in_a_line(folder: Path) -> None:
    with serve(folder):
        command = [sys.executable, "-m", "subvino", "serve", "--port", "0", "--log", "text"]
        done = subprocess.run(
            [*command, "--folder", str(folder)], capture_output=True, text=True, check=False
        )
    assert done.returncode != 0
    assert "another server has it" in done.stderr
    assert "Traceback" not in done.stderr
