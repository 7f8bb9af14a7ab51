"""A server on loopback that speaks the part of the hub's protocol that downloads need.

GET /api/models/{id}/revision/{revision} lists a repository; HEAD and GET
/{id}/resolve/{revision}/{file} give a file, with ETag, X-Repo-Commit and ranges.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked for.

    repositories: id → name → content.
    break_after: bytes of model.safetensors after which the connection drops, once for each entry.
    stalled: the file of that name gives half its bytes and then nothing until this is cleared.
    """

    repositories: Mapping[str, Mapping[str, bytes]]
    break_after: list[int] = field(default_factory=list)
    stalled: str | None = None
    requests: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def files_got(self) -> list[str]:
        """Names of the files whose content was asked for."""
        return [line.split("/")[-1] for line in self.requests if line.startswith("GET /org")]


def read_folder(folder: Path) -> dict[str, bytes]:
    """A folder's files as a repository."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` on a free port."""

    class Handler(_Handler):
        content = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    content: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
        return

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        self.content.requests.append(f"{self.command} {self.path}")
        listing = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^/?]+)(\?.*)?", self.path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^/?]+)", self.path)
        if listing and listing[1] in self.content.repositories:
            self._send_listing(listing[1], listing[2])
        elif file and file[3] in self.content.repositories.get(file[1], {}):
            self._send_file(self.content.repositories[file[1]][file[3]], file[3], with_body)
        else:
            self._start(HTTPStatus.NOT_FOUND, {"X-Error-Code": "RepoNotFound"}, 0)

    def _send_listing(self, repo_id: str, revision: str) -> None:
        names = self.content.repositories[repo_id]
        answer = {
            "_id": "1",
            "id": repo_id,
            "sha": revision if len(revision) == len(COMMIT) else COMMIT,
            "siblings": [{"rfilename": name} for name in names],
        }
        body = json.dumps(answer).encode()
        self._start(HTTPStatus.OK, {"Content-Type": "application/json"}, len(body))
        self.wfile.write(body)

    def _send_file(self, data: bytes, name: str, with_body: bool) -> None:
        etag = hashlib.sha256(data).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked:
            self.content.ranges.append(self.headers["Range"])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
        self._start(status, headers, len(data) - start)
        if with_body:
            self._send_body(data[start:], name)

    def _send_body(self, data: bytes, name: str) -> None:
        if name == "model.safetensors" and self.content.break_after:
            self.wfile.write(data[: self.content.break_after.pop()])
            self.close_connection = True
        elif name == self.content.stalled:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.content.closing.wait(60)
            self.close_connection = True
        else:
            self.wfile.write(data)

    def _start(self, status: HTTPStatus, headers: Mapping[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
