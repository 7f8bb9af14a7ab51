"""What every request goes through: who may ask, how many at once, and what is written down of it.

Floor 5 of the road. A server on the loopback address is not safe by that alone: any page that
its user visits can send requests to it. So requests must name it by an address of its own, and
pages of other origins may not change anything.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import time
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from subvino.errors import ForbiddenError, SubvinoError, TooManyRequestsError, UnauthorizedError
from subvino.server.metrics import Metrics
from subvino.server.responses import tell_error
from subvino.server.settings import ServerSettings

API_PATHS = ("/v1", "/asr", "/detect-language", "/jobs")
"""What counts as a request that takes work; the page has a queue of its own."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

log = logging.getLogger("subvino.requests")


def check_key(request: Request) -> None:
    """Let in who has the server's key, if it has one. Raises UnauthorizedError."""
    wanted = request.app.state.settings.api_key
    if not wanted:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    # Header bytes come decoded as Latin-1, whatever they meant.
    if not hmac.compare_digest(given.encode("latin-1", "replace"), wanted.encode()):
        raise UnauthorizedError(
            "this server wants a key: send it as the header 'Authorization: Bearer KEY'"
        )


class Gate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._n_requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.monotonic(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._admit(scope, receive, note)
        finally:
            self._write_down(scope, status, time.monotonic() - begin)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = _takes_work(scope["path"])
        try:
            self._check_host(scope)
            if counted and self._n_requests >= self._settings.limits.max_requests:
                raise TooManyRequestsError(
                    f"{self._n_requests} requests at once are as many as this server takes; "
                    "try again later"
                )
        except SubvinoError as error:
            await tell_error(Request(scope), error)(scope, receive, send)
            return
        self._n_requests += counted
        try:
            await self._app(scope, receive, send)
        finally:
            self._n_requests -= counted

    def _check_host(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_own_host(host, self._settings):
            raise ForbiddenError(
                f"this server does not answer to the name {host[:80]!r}; "
                "its owner can add it: subvino serve --allow-host NAME"
            )
        origin = headers.get("origin")
        if origin and scope["method"] not in SAFE_METHODS and urlsplit(origin).netloc != host:
            raise ForbiddenError("pages of another origin may not ask for anything here")

    def _write_down(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        client = scope.get("client")
        log.info(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "seconds": round(seconds, 3),
                "client": client[0] if client else None,
            },
        )


def is_own_host(host: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this server.

    An address always does: only names can be made to point here by somebody else.
    """
    name = _host_name(host)
    if name in {"localhost", settings.host.lower(), *map(str.lower, settings.allowed_hosts)}:
        return True
    if _is_address(name):
        return True
    return not settings.allowed_hosts and not is_loopback(settings.host)


def _host_name(host: str) -> str:
    """Without the port and the brackets of IPv6, in lower case."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    if _is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def _takes_work(path: str) -> bool:
    return any(path == start or path.startswith(f"{start}/") for start in API_PATHS)


def _route(scope: Scope) -> str:
    """The route's pattern, so that there are few of them whatever clients ask for."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else "other"
