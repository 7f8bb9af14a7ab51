"""Requests as no HTTP library would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

BOUNDARY = "cut-here"


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    parts = urlsplit(address)
    place = (parts.hostname or "", parts.port or 0)
    with socket.create_connection(place, timeout=60) as connection:
        yield connection


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def form_head(path: str, n_bytes: int) -> bytes:
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    return head(path, kind, f"Content-Length: {n_bytes}")


def file_part(content: bytes, name: str = "talk.flac", field: str = "file") -> bytes:
    begin = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    )
    return begin.encode() + content


def end() -> bytes:
    return f"\r\n--{BOUNDARY}--\r\n".encode()


def status(connection: socket.socket) -> int:
    """Of the answer; 0 where the connection is closed without one."""
    answer = b""
    while b"\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            return 0
        answer += piece
    return int(answer.split(b" ", 2)[1])


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side closes the connection, after whatever it still says."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True
