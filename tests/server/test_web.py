"""What stands around the page: its files, and the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from subvino.server import ServerSettings, create_app
from subvino.server.loaded import Load
from subvino.server.page import Order, Page

SAMPLE = Path(__file__).parents[2] / "samples" / "rainbow.mp4"
KEY = "a long key, with späces"

pytestmark = pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")  # Gradio


@pytest.fixture(scope="module")
def client(module_settings: ServerSettings, load: Load, tiny_cache: Path) -> Iterator[TestClient]:
    settings = replace(module_settings, page=True, api_key=KEY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(tiny_cache))
        with TestClient(create_app(settings, load), base_url="http://127.0.0.1") as client:
            yield client


@pytest.fixture(scope="module")
def job_id(client: TestClient) -> str:
    jobs = client.app.state.jobs  # type: ignore[attr-defined]
    job = Page(jobs).submit(Order(SAMPLE, "rainbow <b>.mp4"))
    assert [job.state for job in jobs.watch(job.id)][-1] == "done"
    return str(job.id)


@pytest.fixture
def stranger(client: TestClient) -> Iterator[TestClient]:
    """The same server, from a browser that has not given the key."""
    kept = dict(client.cookies)
    client.cookies.clear()
    yield client
    client.cookies.clear()
    client.cookies.update(kept)


def let_in(client: TestClient) -> TestClient:
    client.post("/page/login", data={"key": KEY}, follow_redirects=False)
    return client


def test_who_has_no_key_gets_a_form_for_it_and_nothing_else(
    stranger: TestClient, job_id: str
) -> None:
    page = stranger.get("/")
    assert page.status_code == 401
    assert "The key of this server" in page.text
    for path in (f"/page/jobs/{job_id}/media", f"/page/jobs/{job_id}/subtitles/srt"):
        assert stranger.get(path).status_code == 401
    called = {"data": [], "component_id": 1, "fn_name": "history", "session_hash": "a"}
    assert stranger.post("/gradio_api/component_server", json=called).status_code == 401
    assert stranger.get("/gradio_api/info").status_code == 401


def test_a_wrong_key_is_refused_and_the_right_one_opens_the_page(stranger: TestClient) -> None:
    refused = stranger.post("/page/login", data={"key": "wrong"}, follow_redirects=False)
    assert (refused.status_code, refused.cookies.get("subvino_page")) == (401, None)
    assert "not the key" in refused.text
    taken = stranger.post("/page/login", data={"key": KEY}, follow_redirects=False)
    assert taken.status_code == 303
    cookie = taken.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert KEY not in cookie
    page = stranger.get("/")
    assert (page.status_code, "gradio-app" in page.text) == (200, True)


def test_media_come_in_ranges_and_run_nothing(client: TestClient, job_id: str) -> None:
    whole = SAMPLE.read_bytes()
    path = f"/page/jobs/{job_id}/media"
    part = let_in(client).get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part.headers["content-type"] == "video/mp4"
    assert part.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in part.headers["content-security-policy"]


def test_subtitles_are_named_after_the_media_and_never_cached(
    client: TestClient, job_id: str
) -> None:
    path = f"/page/jobs/{job_id}/subtitles/vtt"
    shown, kept = let_in(client).get(path), client.get(path, params={"save": "1"})
    assert shown.content == kept.content
    assert shown.content.startswith(b"WEBVTT")
    assert shown.headers["content-disposition"].startswith("inline")
    assert "filename*=utf-8''rainbow%20%3Cb%3E." in kept.headers["content-disposition"]
    assert kept.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/page/jobs/nothing/media",
        "/page/jobs/nothing/subtitles/srt",
        "/page/jobs/%2e%2e/subtitles/srt",
        "/page/jobs/{job}/video/0/burned",
        "/page/jobs/{job}/video/0/..%2f..%2fjobs.sqlite3",
        "/gradio_api/file=jobs.sqlite3",
        "/gradio_api/file={folder}/jobs.sqlite3",
        "/gradio_api/file=/etc/passwd",
    ],
)
def test_what_is_not_there_or_not_for_the_page_is_not_given(
    client: TestClient, job_id: str, module_settings: ServerSettings, path: str
) -> None:
    path = path.replace("{job}", job_id).replace("{folder}", str(module_settings.folder))
    assert let_in(client).get(path).status_code in (403, 404, 409)


def test_an_unknown_format_is_told_with_those_there_are(client: TestClient, job_id: str) -> None:
    answer = let_in(client).get(f"/page/jobs/{job_id}/subtitles/exe")
    assert answer.status_code == 400
    assert "srt" in answer.text
