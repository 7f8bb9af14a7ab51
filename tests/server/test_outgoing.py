"""Addresses that clients give: where they may lead, and where not."""

from __future__ import annotations

import http.client
import http.server
import ipaddress
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from subvino.errors import ForbiddenError, RequestTimeoutError, TooLargeError, UrlError
from subvino.server import Job, Jobs, Limits, ServerSettings, fetching
from subvino.server.loaded import Load
from subvino.server.outgoing import Address, GuardedProxy, Rule, check_url, is_public
from tests.server.conftest import CLIP

pytestmark = [
    # yt-dlp leaves answers it doesn't want to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127/8"),
]

OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
"""Both are this machine's; the rule of these tests takes the first one for the Internet."""


def only_outside(address: Address) -> bool:
    return str(address) == OUTSIDE


@dataclass
class Site:
    """A server; `asked`: the paths asked for."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def site(host: str, redirect: str = "", rest: float = 0.0) -> Iterator[Site]:
    """Serves the clip at any path; `redirect`: sends there instead; rest: seconds without end."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = CLIP.read_bytes()
            self.send_response(302 if redirect else 200)
            self.send_header("Location", redirect) if redirect else None
            self.send_header("Content-Type", "audio/flac")
            self.send_header("Content-Length", "0" if redirect else str(len(body)))
            self.end_headers()
            if self.command == "GET" and not redirect:
                self.wfile.write(body[:1000])
                time.sleep(rest)
                self.wfile.write(body[1000:])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    with Quiet((host, 0), Handler) as server:
        found = Site(f"http://{host}:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


# --- the rule


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
    ],
)
def test_only_the_internets_addresses_are_public(text: str, public: bool) -> None:
    """The special ones are those of IANA's registries."""
    assert is_public(ipaddress.ip_address(text)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/jobs",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://user@127.0.0.1/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://127.0.0.1:70/",
        "http:///nothing",
        "data:text/plain,hello",
    ],
)
def test_addresses_into_the_network_or_of_other_kinds_are_refused(url: str) -> None:
    with pytest.raises(ForbiddenError):
        check_url(url, Rule())


def test_what_is_no_address_at_all_is_refused() -> None:
    for url in ("http://[", "http://a:b/", "http://" + "x" * 300 + "/", "http://\udcff/"):
        with pytest.raises((UrlError, ForbiddenError)):
            check_url(url, Rule())


# --- the proxy


def open_through(proxy: GuardedProxy, url: str) -> bytes:
    handler = urllib.request.ProxyHandler({"http": proxy.url})
    with urllib.request.build_opener(handler).open(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def test_what_is_allowed_passes_the_proxy() -> None:
    with site(OUTSIDE) as there, GuardedProxy(Rule(only_outside)) as proxy:
        assert open_through(proxy, f"{there.address}/a?b=c") == CLIP.read_bytes()
        assert there.asked == ["/a?b=c"]
        parts = urlsplit(proxy.url)
        tunnel = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        tunnel.set_tunnel(OUTSIDE, urlsplit(there.address).port)
        tunnel.request("GET", "/tunnel")
        assert tunnel.getresponse().read() == CLIP.read_bytes()
        tunnel.close()
        assert proxy.refusal is None


def test_a_redirect_into_the_network_is_not_followed() -> None:
    with site(INSIDE) as secret, site(OUTSIDE, f"{secret.address}/secret") as there:
        with GuardedProxy(Rule(only_outside)) as proxy, pytest.raises(urllib.error.HTTPError):
            open_through(proxy, there.address)
        assert isinstance(proxy.refusal, ForbiddenError)
        assert there.asked
        assert secret.asked == []


def test_enough_is_enough() -> None:
    with site(OUTSIDE) as there:
        for rule in (
            Rule(only_outside, max_bytes=2000),
            Rule(only_outside, deadline=time.monotonic() - 1),
        ):
            with GuardedProxy(rule) as proxy, pytest.raises((OSError, http.client.HTTPException)):
                open_through(proxy, there.address)


@pytest.mark.parametrize(
    "request_bytes",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"CONNECT nowhere HTTP/1.1\r\n\r\n"],
)
def test_the_proxy_survives_nonsense(request_bytes: bytes) -> None:
    with GuardedProxy(Rule(only_outside)) as proxy:
        parts = urlsplit(proxy.url)
        place = (str(parts.hostname), parts.port or 0)
        with socket.create_connection(place, timeout=30) as connection:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        with site(OUTSIDE) as there:
            assert open_through(proxy, there.address) == CLIP.read_bytes()


# --- jobs


@pytest.fixture
def outside_jobs(
    settings: ServerSettings, load: Load, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Jobs]:
    monkeypatch.setattr(fetching, "is_public", only_outside)
    with Jobs(replace(settings, allow_urls=True), load) as jobs:
        yield jobs


def finish(jobs: Jobs, job: Job) -> Job:
    return list(jobs.watch(job.id))[-1]


def test_a_film_behind_an_address_becomes_a_transcript(outside_jobs: Jobs) -> None:
    with site(OUTSIDE) as there:
        job = finish(outside_jobs, outside_jobs.submit_url(f"{there.address}/talk.flac"))
    assert job.error is None
    assert (job.state, job.name) == ("done", "talk.flac")
    media = outside_jobs.media(job.id)
    assert media is not None
    assert media.read_bytes() == CLIP.read_bytes()
    assert outside_jobs.submit_file(CLIP).state == "done"  # the same sound, heard already


def test_a_job_is_not_led_into_the_network(outside_jobs: Jobs) -> None:
    with site(INSIDE) as secret, site(OUTSIDE, f"{secret.address}/x.flac") as there:
        with pytest.raises(ForbiddenError, match="private network"):
            outside_jobs.submit_url(secret.address)
        job = finish(outside_jobs, outside_jobs.submit_url(f"{there.address}/talk.flac"))
        assert (job.state, job.error_kind) == ("failed", "ForbiddenError")
        assert secret.asked == []
    assert list(outside_jobs.settings.incoming_folder.iterdir()) == []


def test_a_name_that_points_elsewhere_the_second_time_is_not_believed(
    outside_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([OUTSIDE, INSIDE])

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        if host == "rebind.example":
            host = next(answers, INSIDE)
        return original(host, *args, **kwargs)

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with site(INSIDE) as secret:
        port = urlsplit(secret.address).port
        url = f"http://rebind.example:{port}/talk.flac"
        job = finish(outside_jobs, outside_jobs.submit_url(url))
        assert (job.state, job.error_kind) == ("failed", "ForbiddenError")
        assert secret.asked == []


def test_what_is_too_large_or_too_slow_is_given_up(
    settings: ServerSettings, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "is_public", only_outside)
    for limits, kind in (
        (Limits(max_upload_bytes=2000), TooLargeError),
        (Limits(max_fetch=1.5), RequestTimeoutError),
    ):
        changed = replace(settings, allow_urls=True, limits=limits)
        with site(OUTSIDE, rest=3.0) as there, Jobs(changed, load) as jobs:
            job = finish(jobs, jobs.submit_url(f"{there.address}/talk.flac"))
            assert (job.state, job.error_kind) == ("failed", kind.__name__)
