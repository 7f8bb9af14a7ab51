"""A server's process: uvicorn with bounds on what it waits for.

Floor 5 of the road.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from subvino.pipeline import load_transcriber
from subvino.server.app import create_app
from subvino.server.jobs import Jobs
from subvino.server.loaded import Load
from subvino.server.logs import log_config
from subvino.server.settings import ServerSettings

MAX_HEADER_BYTES = 16 * 1024
STOP_SECONDS = 10
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(H11Protocol):
    """Closes connections whose next request does not come, or whose refused body never ends.

    uvicorn itself waits for headers without end, and reads on what nobody wants any more.

    max_wait: seconds for either.
    """

    def __init__(self, max_wait: float, **values: Any) -> None:
        super().__init__(**values)
        self._max_wait = max_wait
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the rest of this request and for the next one."""
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self.loop.call_later(self._max_wait, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            return
        if self.conn.our_state is h11.IDLE:
            self.transport.write(TOO_SLOW)
        self.transport.close()


def make_server(
    settings: ServerSettings, load: Load = load_transcriber, *, json_logs: bool = True
) -> uvicorn.Server:
    """A server that is ready to run.

    load: gives a loaded model; another one in tests.
    """
    limits = settings.limits
    config = uvicorn.Config(
        create_app(settings, load),
        host=settings.host,
        port=settings.port,
        http=partial(BoundedProtocol, limits.max_idle),  # type: ignore[arg-type]
        ws="none",
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        limit_concurrency=4 * limits.max_requests,
        timeout_graceful_shutdown=STOP_SECONDS,
        access_log=False,
        server_header=False,
        log_config=log_config(as_json=json_logs),
    )
    return uvicorn.Server(config)


def run_server(
    settings: ServerSettings, load: Load = load_transcriber, *, json_logs: bool = True
) -> None:
    """Serve until the process is told to stop; load: gives a loaded model.

    Raises ServerError, OutputError where the folder can't be used; SystemExit where the port can't.
    """
    server = make_server(settings, load, json_logs=json_logs)
    jobs: Jobs = server.config.app.state.jobs  # type: ignore[union-attr]
    # Before the server begins, as it would tell of a failure by a traceback.
    # uvicorn passes on the signal that stopped it, once all is done: an end like any other.
    with jobs, suppress(KeyboardInterrupt):
        server.run()
