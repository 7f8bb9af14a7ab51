"""Connections to addresses that a client chose: to public ones only, wherever they lead.

Floor 5 of the road. A proxy on the loopback address, for as long as something is fetched: what
fetches is told to go through it, and it makes every connection itself. So redirects, addresses
inside of pages and names that point elsewhere the second time are all held to the same rule: a
name is looked up once, all its addresses are checked, and one of those is connected to.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from subvino.errors import ForbiddenError, RequestError, RequestTimeoutError, UrlError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS = 20.0
MAX_HEAD = 64 * 1024
_PIECE = 1 << 16
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that was given to the Internet so far (IANA's IPv6 address space registry)."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet's, and of no private or special network.

    >>> is_public(ipaddress.ip_address("169.254.169.254"))
    False
    """
    inner = _inner_address(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def anywhere(address: Address) -> bool:
    """Whether an address is one at all: the rule of a server that trusts its clients."""
    return not address.is_unspecified


def _inner_address(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address leads to, where it is one of those that do."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be connected to.

    allows: whether an address may be.
    deadline: `time.monotonic` after which nothing is passed on.
    max_bytes: that may come in all.
    """

    allows: Callable[[Address], bool] = is_public
    deadline: float = float("inf")
    max_bytes: int = 1 << 62


def check_url(url: str, rule: Rule) -> None:
    """Refuse an address that leads where it may not. Raises ForbiddenError, UrlError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlError(f"{url[:200]}: not a URL ({error})", url) from error
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ForbiddenError(f"{url[:200]}: only http and https addresses are fetched")
    find_addresses(host, port or _DEFAULT_PORTS[parts.scheme], rule)


def find_addresses(host: str, port: int, rule: Rule) -> list[tuple[Any, ...]]:
    """(family, socket address) of a name, all of them checked. Raises ForbiddenError, UrlError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UrlError(f"{host[:200]}: no such host", host) from error
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if not rule.allows(address):
            raise ForbiddenError(f"{host[:200]}: leads into a private network; not fetched")
    return [(family, place) for family, _, _, _, place in found]


def connect(host: str, port: int, rule: Rule) -> socket.socket:
    """A connection to a name's address, which was checked. Raises ForbiddenError, UrlError."""
    problem: OSError | None = None
    for family, place in find_addresses(host, port, rule):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(place)
        except OSError as error:
            connection.close()
            problem = error
        else:
            return connection
    raise UrlError(f"{host[:200]}: can't be reached ({problem})", host)


@dataclass(slots=True)
class _Count:
    """What the connections of one proxy have done together."""

    rule: Rule
    n_bytes: int = 0
    refusal: RequestError | None = None
    closed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, n_bytes: int) -> bool:
        """Count what came; whether more may come."""
        with self.lock:
            self.n_bytes += n_bytes
        if self.n_bytes > self.rule.max_bytes:
            return False
        if time.monotonic() > self.rule.deadline:
            self.refusal = RequestTimeoutError("the address takes too long to fetch")
        return self.refusal is None and not self.closed.is_set()


class GuardedProxy:
    """A proxy for HTTP and, by CONNECT, HTTPS that keeps to a rule.

    with GuardedProxy(Rule()) as proxy:
        fetch(url, proxy=proxy.url)

    refusal: why something was not connected to; None if nothing was.
    """

    def __init__(self, rule: Rule) -> None:
        self._count = _Count(rule)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.count = self._count
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> GuardedProxy:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Close every connection."""
        self._count.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def refusal(self) -> RequestError | None:
        """Why something was refused."""
        return self._count.refusal


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    count: _Count


class _Handler(socketserver.BaseRequestHandler):
    """One connection of the client."""

    server: _Server

    def handle(self) -> None:
        count = self.server.count
        self.request.settimeout(CONNECT_SECONDS)
        try:
            head, rest = _read_head(self.request)
            host, port, first = _target(head)
            with connect(host, port, count.rule) as upstream:
                if first:
                    upstream.sendall(first + rest)
                else:
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                _relay(self.request, upstream, count)
        except RequestError as error:
            count.refusal = count.refusal or error
            self._refuse(b"403 Forbidden")
        except (OSError, UrlError, ValueError):
            self._refuse(b"502 Bad Gateway")

    def _refuse(self, status: bytes) -> None:
        with suppress(OSError):
            self.request.sendall(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n")


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came behind it; raises ValueError."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_PIECE)
        if not piece or len(data) > MAX_HEAD:
            raise ValueError("no request came")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _target(head: bytes) -> tuple[str, int, bytes]:
    """Host, port and the head to send there, which is empty for CONNECT. Raises ValueError."""
    line, *headers = head.split(b"\r\n")
    method, target, version = line.decode("latin-1").split(" ")
    if method == "CONNECT":
        parts = urlsplit(f"//{target}")
        return str(parts.hostname), parts.port or 443, b""
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("not a request to a proxy")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    kept = [row for row in headers if not row.lower().startswith((b"connection:", b"proxy-"))]
    first = [f"{method} {path} {version}".encode("latin-1"), *kept, b"Connection: close"]
    return parts.hostname, parts.port or 80, b"\r\n".join(first) + b"\r\n\r\n"


def _relay(client: socket.socket, upstream: socket.socket, count: _Count) -> None:
    """Pass on what either side sends until one has nothing more to say, or enough was said."""
    other = {client: upstream, upstream: client}
    while count.take(0):
        ready, _, _ = select.select(list(other), [], [], 0.5)
        for side in ready:
            data = side.recv(_PIECE)
            if not data or not count.take(len(data)):
                return
            other[side].sendall(data)
