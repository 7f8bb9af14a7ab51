"""What a server refuses, and that nothing is left of it."""

from __future__ import annotations

import io
import struct
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import openai
import pytest
import requests

from subvino.errors import OptionError
from subvino.server import Limits, ServerSettings
from subvino.server.loaded import Load
from tests.server import raw
from tests.server.conftest import CLIP, s16le, served
from tests.sounds import Track, write_media

STRICT = Limits(max_upload_bytes=300_000, max_duration=60.0, max_idle=0.5, max_requests=3)


@pytest.fixture(scope="module")
def strict_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strict")


@pytest.fixture(scope="module")
def strict(
    module_settings: ServerSettings, strict_folder: Path, load: Load, tiny_cache: Path
) -> Iterator[str]:
    """A server that takes little and waits for nobody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(tiny_cache))
        with served(replace(module_settings, limits=STRICT, folder=strict_folder), load) as address:
            yield address


@pytest.fixture
def incoming(strict_folder: Path) -> Iterator[Path]:
    """The folder of half received files, which must be empty in the end."""
    yield strict_folder / "incoming"
    assert list((strict_folder / "incoming").iterdir()) == []


def upload(address: str, content: bytes, name: str = "talk.mp4") -> requests.Response:
    return requests.post(f"{address}/jobs", files={"file": (name, content)}, timeout=60)


def outcome(address: str, answer: requests.Response) -> requests.Response:
    """The result of the job that was accepted, or its refusal."""
    if answer.status_code != 202:
        return answer
    job = f"{address}/jobs/{answer.json()['id']}"
    for _ in requests.get(f"{job}/events", stream=True, timeout=60).iter_lines():
        pass
    return requests.get(f"{job}/result", timeout=60)


def test_limits_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(OptionError, match="max_upload_bytes"):
        Limits(max_upload_bytes=0)


# --- too much


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(
    strict: str, incoming: Path
) -> None:
    with raw.connected(strict) as connection:
        connection.sendall(raw.form_head("/jobs", 10**9))
        assert raw.status(connection) == 413
    client = openai.OpenAI(base_url=f"{strict}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.APIStatusError, match=r"larger than the 0\.3 MB") as caught:
        client.audio.transcriptions.create(file=("a.wav", bytes(10**6)), model="whisper-1")
    assert caught.value.status_code == 413


def test_an_upload_that_does_not_tell_its_size_is_stopped_where_it_is_too_large(
    strict: str, incoming: Path
) -> None:
    kind = f"multipart/form-data; boundary={raw.BOUNDARY}"
    pieces = iter([raw.file_part(b""), *([bytes(50_000)] * 20), raw.end()])
    headers = {"Content-Type": kind}
    try:
        answer = requests.post(f"{strict}/jobs", data=pieces, headers=headers, timeout=60)
    except requests.ConnectionError:  # it was told while it was still sending
        return
    assert answer.status_code == 413


def silence(path: Path, seconds: int) -> bytes:
    samples = np.zeros(seconds * 16_000, np.float32)
    return write_media(path, Track(samples, "flac", rate=16_000)).read_bytes()


def test_hours_of_silence_in_a_small_file_are_refused_at_once(strict: str, tmp_path: Path) -> None:
    bomb = silence(tmp_path / "bomb.flac", 600)
    assert len(bomb) < STRICT.max_upload_bytes
    answer = upload(strict, bomb)
    assert answer.status_code == 413
    assert "longer than 1 minutes" in answer.json()["error"]["message"]


def test_a_file_that_holds_more_than_it_tells_is_stopped_on_the_way(
    strict: str, tmp_path: Path
) -> None:
    """STREAMINFO's 36 bits of total samples are 0: not known (RFC 9639, 8.2)."""
    bomb = bytearray(silence(tmp_path / "bomb.flac", 600))
    bomb[21] &= 0xF0
    bomb[22:26] = bytes(4)
    answer = outcome(strict, upload(strict, bytes(bomb)))
    assert answer.status_code == 413


# --- too slow


def test_an_upload_that_stands_still_is_given_up(strict: str, incoming: Path) -> None:
    with raw.connected(strict) as connection:
        connection.sendall(raw.form_head("/jobs", 200_000) + raw.file_part(b"a beginning"))
        assert raw.status(connection) == 408
        assert raw.is_closed(connection)


def test_an_upload_that_trickles_is_given_up(strict: str, incoming: Path) -> None:
    with raw.connected(strict) as connection:
        connection.sendall(raw.form_head("/jobs", 200_000) + raw.file_part(b""))
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.1):
                connection.sendall(b".")

        thread = threading.Thread(target=trickle)
        thread.start()
        assert raw.status(connection) == 408
        stop.set()
        thread.join()


@pytest.mark.parametrize("beginning", [b"", b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_headers_that_do_not_come_are_not_waited_for(strict: str, beginning: bytes) -> None:
    with raw.connected(strict) as connection:
        connection.sendall(beginning)
        assert raw.status(connection) == 408
        assert raw.is_closed(connection)


# --- too strange


def test_giant_headers_are_refused(strict: str) -> None:
    for headers in (["X-Big: " + "x" * 200_000], [f"X-{n}: {'x' * 100}" for n in range(2000)]):
        with raw.connected(strict) as connection:
            connection.sendall(raw.head("/health", *headers, method="GET"))
            assert raw.status(connection) in (400, 431)
            assert raw.is_closed(connection)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/cron.d/evil.flac",
        "..\\..\\evil.flac",
        "/etc/passwd",
        "a\x00b.flac",
        "x" * 1000 + ".flac",
        "...",
        "%2e%2e%2fevil.flac",
        "jobs.sqlite3",
    ],
)
def test_a_files_name_leads_nowhere(
    address: str, module_settings: ServerSettings, name: str
) -> None:
    content = CLIP.read_bytes()
    body = raw.file_part(content, name) + raw.end()
    kind = f"multipart/form-data; boundary={raw.BOUNDARY}"
    answer = requests.post(f"{address}/jobs", data=body, headers={"Content-Type": kind}, timeout=60)
    assert answer.status_code == 202
    told = answer.json()["name"]
    assert "/" not in told
    assert "\\" not in told
    assert told.isprintable()
    assert len(told) <= 200
    assert outcome(address, answer).status_code == 200
    inside = {path.name for path in module_settings.folder.iterdir()}
    assert {name.split("-")[0] for name in inside} <= {
        "incoming",
        "media",
        "journals",
        "lock",
        "jobs.sqlite3",
    }


def zip_bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("film.mp4", bytes(10_000_000))
    return data.getvalue()


STRANGE = {
    "random bytes": np.random.default_rng(1).bytes(50_000),
    "an archive": zip_bomb(),
    "a playlist of local files": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "a list for ffmpeg": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a page": b"<!doctype html><title>no media</title>",
    "half an MP4": struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + bytes(500),
    "a picture": bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    ),
    "nothing": b"",
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_holds_no_sound_is_refused_with_the_reason(
    strict: str, incoming: Path, what: str
) -> None:
    answer = outcome(strict, upload(strict, STRANGE[what], "talk.mp4"))
    assert answer.status_code in (415, 422)
    message = answer.json()["error"]["message"]
    assert message.startswith("talk.mp4: ")
    assert str(incoming.parent) not in message
    assert "\n" not in message


def broken_forms() -> dict[str, bytes]:
    part = raw.file_part(b"sound")
    field = f'--{raw.BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'.encode()
    return {
        "no form": b"just text",
        "breaks off": part,
        "two files": part + b"\r\n" + part + raw.end(),
        "a file of another name": raw.file_part(b"sound", field="film") + raw.end(),
        "no name": f"--{raw.BOUNDARY}\r\nContent-Type: a/b\r\n\r\nx".encode() + raw.end(),
        "many fields": b"".join([field + b"x\r\n"] * 200) + raw.end()[2:],
        "a giant field": field + b"x" * 150_000 + raw.end(),
        "no file": field + b"x" + raw.end(),
    }


@pytest.mark.parametrize("what", broken_forms())
def test_a_broken_form_is_refused(strict: str, incoming: Path, what: str) -> None:
    kind = f"multipart/form-data; boundary={raw.BOUNDARY}"
    for path in ("/jobs", "/v1/audio/transcriptions"):
        answer = requests.post(
            strict + path, data=broken_forms()[what], headers={"Content-Type": kind}, timeout=60
        )
        assert answer.status_code == 400, what
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "", "a" * 1000])
def test_what_is_no_form_is_refused(strict: str, kind: str) -> None:
    answer = requests.post(f"{strict}/jobs", data=b"{}", headers={"Content-Type": kind}, timeout=60)
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]


# --- too many


def test_more_requests_at_once_than_allowed_are_refused(strict: str, incoming: Path) -> None:
    """Three uploads that stand still take all places; health is always told."""
    with raw.connected(strict) as one, raw.connected(strict) as two, raw.connected(strict) as three:
        for connection in (one, two, three):
            connection.sendall(raw.form_head("/jobs", 200_000) + raw.file_part(b"x"))
        answers = [requests.get(f"{strict}/jobs", timeout=60) for _ in range(3)]
        assert requests.get(f"{strict}/health", timeout=60).status_code == 200
        assert [raw.status(connection) for connection in (one, two, three)] == [408] * 3
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"].isdecimal()
    assert refused[0].json()["error"]["type"] == "rate_limit_error"
    assert requests.get(f"{strict}/jobs", timeout=60).status_code == 200


def sounds(count: int) -> list[bytes]:
    """The clip with some samples of silence behind it: other bytes, the same words."""
    return [s16le(CLIP) + bytes(2 * n) for n in range(count)]


def ask(address: str, sound: bytes) -> requests.Response:
    params = {"encode": "false", "output": "srt", "language": "en"}
    files = {"audio_file": sound}
    return requests.post(f"{address}/asr", params=params, files=files, timeout=300)


def test_fifty_clients_at_once_are_all_answered_rightly(
    address: str, module_settings: ServerSettings
) -> None:
    """Ten sounds, each asked for five times: each is heard once."""
    asked = sounds(10) * 5
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda sound: ask(address, sound), asked))
    assert {answer.status_code for answer in answers} == {200}
    texts = [answer.text for answer in answers]
    assert texts == texts[:10] * 5
    assert set(texts) == {ask(address, asked[0]).text}
    jobs = requests.get(f"{address}/jobs", params={"limit": 51}, timeout=60).json()["jobs"]
    assert {job["state"] for job in jobs} == {"done"}
    assert list(module_settings.incoming_folder.iterdir()) == []


def test_a_full_queue_is_told_and_nothing_accepted_is_lost(
    settings: ServerSettings, load: Load
) -> None:
    limits = Limits(max_waiting=3)
    with served(replace(settings, limits=limits), load) as address, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda sound: ask(address, sound), sounds(20)))
        counts = requests.get(f"{address}/health", timeout=60).json()["jobs"]
    done = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(done) + len(refused) == 20
    assert len(done) >= 3
    assert refused
    assert len({answer.text for answer in done}) == 1
    assert all(answer.content == b"" for answer in refused)
    assert counts == {"done": len(done)}
