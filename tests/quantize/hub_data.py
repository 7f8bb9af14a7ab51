"""A server on loopback that speaks the part of the hub's protocol that reading a data set needs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class DataHub:
    """files: path → content of the one data set, org/speech. sent: bytes of content given out."""

    files: Mapping[str, bytes]
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(hub: DataHub) -> Iterator[DataHub]:
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
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    content: DataHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
        return

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = json.loads(self.rfile.read(length) or b"{}")
        self.content.requests.append(f"POST {self.path}")
        paths = asked.get("paths", []) if isinstance(asked, dict) else []
        if re.fullmatch(r"/api/datasets/org/speech/paths-info/[^/]+", self.path):
            self._send_json([self._entry(path) for path in paths if path in self.content.files])
        else:
            self._not_found()

    def _entry(self, path: str) -> dict[str, object]:
        size = len(self.content.files[path])
        return {"type": "file", "path": path, "oid": "0" * 40, "size": size}

    def _answer(self, *, with_body: bool) -> None:
        self.content.requests.append(f"{self.command} {self.path}")
        file = re.fullmatch(r"/datasets/org/speech/resolve/[^/]+/([^?]+)(\?.*)?", self.path)
        if re.match(r"/api/datasets/org/speech(/revision/[^/?]+)?(\?|$)", self.path):
            siblings = [{"rfilename": path} for path in self.content.files]
            self._send_json({"id": "org/speech", "sha": COMMIT, "siblings": siblings})
        elif re.match(r"/api/datasets/org/speech/tree/", self.path):
            self._send_json([self._entry(path) for path in self.content.files])
        elif file and file[1] in self.content.files:
            self._send_file(self.content.files[file[1]], with_body)
        else:
            self._not_found()

    def _send_file(self, data: bytes, with_body: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = data[int(asked[1]) : int(asked[2]) + 1] if asked else data
        headers = {"ETag": '"1"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {asked[1]}-{asked[2]}/{len(data)}"
        self._start(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK, headers, len(part))
        if with_body:
            self.content.sent += len(part)
            self.wfile.write(part)

    def _not_found(self) -> None:
        self._start(HTTPStatus.NOT_FOUND, {"X-Error-Code": "RepoNotFound"}, 0)

    def _send_json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self._start(HTTPStatus.OK, {"Content-Type": "application/json"}, len(body))
        self.wfile.write(body)

    def _start(self, status: HTTPStatus, headers: Mapping[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
