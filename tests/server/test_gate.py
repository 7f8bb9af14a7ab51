"""Who may ask, and what is written down of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openai
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from subvino.server import ServerSettings
from subvino.server.gate import is_loopback, is_own_host
from subvino.server.loaded import Load
from subvino.server.logs import JsonFormatter
from tests.server import raw
from tests.server.conftest import CLIP, served


@pytest.fixture(scope="module")
def locked(module_settings: ServerSettings, load: Load, tiny_cache: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(tiny_cache))
        folder = module_settings.folder / "locked"
        with served(replace(module_settings, api_key="sésame", folder=folder), load) as address:
            yield address


PROTECTED = ["/jobs", "/jobs/0", "/v1/models", "/metrics"]


@pytest.mark.parametrize("path", PROTECTED)
def test_a_server_with_a_key_lets_nobody_in_without(locked: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer open"}, {"X-Api-Key": ""}):
        answer = requests.get(locked + path, headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "invalid_api_key"
    key = "sésame".encode()
    for right in ({"Authorization": b"Bearer " + key}, {"X-Api-Key": key}):
        assert requests.get(locked + path, headers=right, timeout=60).status_code in (200, 404)


def test_the_key_is_asked_for_before_anything_is_read(locked: str) -> None:
    for path in ("/jobs", "/v1/audio/transcriptions", "/asr", "/detect-language"):
        with raw.connected(locked) as connection:
            connection.sendall(raw.form_head(path, 10**6))
            assert raw.status(connection) == 401


def test_health_needs_no_key(locked: str) -> None:
    assert requests.get(f"{locked}/health", timeout=60).json()["status"] == "ok"


def test_the_openai_client_tells_its_key(locked: str) -> None:
    with pytest.raises(openai.AuthenticationError, match="wants a key"):
        openai.OpenAI(base_url=f"{locked}/v1", api_key="wrong", max_retries=0).models.list()


def test_a_name_that_is_not_the_servers_is_refused(address: str) -> None:
    """Else a page could reach it by a name of its own that points to 127.0.0.1."""
    port = address.rpartition(":")[2]
    for host in ("localhost", f"127.0.0.1:{port}", f"[::1]:{port}", f"LOCALHOST:{port}"):
        answer = requests.get(f"{address}/jobs", headers={"Host": host}, timeout=60)
        assert answer.status_code == 200
    for host in ("evil.example", f"localhost.evil.example:{port}", ""):
        answer = requests.get(f"{address}/jobs", headers={"Host": host}, timeout=60)
        assert answer.status_code == 403
        assert "--allow-host" in answer.json()["error"]["message"]


def test_a_page_of_another_origin_may_ask_for_nothing(address: str) -> None:
    files = {"file": CLIP.read_bytes()}
    for origin in ("https://evil.example", "null", "http://localhost:1"):
        headers = {"Origin": origin}
        answer = requests.post(f"{address}/jobs", files=files, headers=headers, timeout=60)
        assert answer.status_code == 403
    headers = {"Origin": address}
    assert requests.post(f"{address}/jobs", files=files, headers=headers, timeout=60).ok


def test_an_open_server_answers_to_any_name_unless_it_is_told_its_own(tmp_path: Path) -> None:
    public = ServerSettings(tmp_path, host="0.0.0.0")  # noqa: S104
    assert is_own_host("nas.local:8000", public)
    named = replace(public, allowed_hosts=("nas.local",))
    assert is_own_host("NAS.local:8000", named)
    assert is_own_host("192.168.1.5:8000", named)
    assert not is_own_host("evil.example", named)
    assert is_loopback("127.3.2.1")
    assert not is_loopback(public.host)


def test_what_is_counted_can_be_read_by_prometheus(address: str) -> None:
    requests.get(f"{address}/jobs/none", timeout=60)
    requests.get(f"{address}/some/{'x' * 50}", timeout=60)
    text = requests.get(f"{address}/metrics", timeout=60).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    rows = {
        (row.labels["route"], row.labels["status"])
        for row in families["subvino_requests"].samples
        if row.name.endswith("_total")
    }
    assert ("/jobs/{job_id}", "404") in rows
    assert ("other", "404") in rows
    states = {row.labels["state"] for row in families["subvino_jobs"].samples}
    assert states == {"queued", "running", "done", "failed", "cancelled"}
    assert "subvino_heard_seconds" in families


def test_a_log_line_is_one_object_whatever_it_tells() -> None:
    record = logging.makeLogRecord({"msg": "a\nb %s", "args": ("c",), "path": '/"\n', "name": "x"})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    row = json.loads(line)
    assert (row["message"], row["path"], row["logger"]) == ("a\nb c", '/"\n', "x")
