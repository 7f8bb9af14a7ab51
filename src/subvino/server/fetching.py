"""An address that a client gives → its media here, without becoming that client's hand.

Floor 5 of the road. `urls` does the fetching; `outgoing` sees to where it may go.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from subvino.errors import JobCancelledError, ServerError, UrlError
from subvino.server.media_store import ArrivedMedia, receive_file, too_large
from subvino.server.outgoing import GuardedProxy, Rule, anywhere, check_url, is_public
from subvino.server.settings import ServerSettings
from subvino.server.worker import Running
from subvino.urls import DownloadOptions, DownloadProgress, UrlEntry, download, find_entries

OVERHEAD = 20_000_000
"""Bytes that may come besides the media: pages and lists that lead to it."""


def make_rule(settings: ServerSettings) -> Rule:
    """Where the server may go for a client, beginning now."""
    limits = settings.limits
    return Rule(
        allows=anywhere if settings.allow_private_urls else is_public,
        deadline=time.monotonic() + limits.max_fetch,
        max_bytes=limits.max_upload_bytes + OVERHEAD,
    )


def check_address(url: str, settings: ServerSettings) -> None:
    """Refuse an address that can't be fetched. Raises ForbiddenError, UrlError."""
    check_url(url, make_rule(settings))


def fetch(
    running: Running,
    settings: ServerSettings,
    stopping: threading.Event,
    tell: Callable[[], None],
) -> ArrivedMedia:
    """The media at the job's address. Raises SubvinoError."""
    url = str(running.job.url)
    most = settings.limits.max_upload_bytes
    watch = _Watch(running, stopping, tell)
    with (
        tempfile.TemporaryDirectory(dir=settings.incoming_folder) as folder,
        GuardedProxy(make_rule(settings)) as proxy,
    ):
        try:
            watch.step("look at the address")
            entry = _only_entry(url, proxy)
            options = DownloadOptions(max_bytes=most, proxy=proxy.url, video=True)
            path = download(entry, Path(folder), options, watch)
        except UrlError as error:
            if proxy.refusal is not None:
                raise proxy.refusal from error
            if "larger than" in str(error):
                raise too_large(most) from error
            raise
        return receive_file(path, settings.incoming_folder, entry.stem + path.suffix, most)


def _only_entry(url: str, proxy: GuardedProxy) -> UrlEntry:
    entries = find_entries(url, proxy.url)
    if len(entries) > 1:
        raise UrlError(f"{url}: a list of {len(entries)}; give the address of one of them", url)
    return entries[0]


class _Watch:
    """Follows a download: tells how far it is, and ends it where it must not go on."""

    def __init__(
        self, running: Running, stopping: threading.Event, tell: Callable[[], None]
    ) -> None:
        self._running, self._stopping, self._tell = running, stopping, tell

    def __call__(self, state: DownloadProgress) -> None:
        if self._running.cancelled:
            raise JobCancelledError("the job was cancelled")
        if self._stopping.is_set():
            raise ServerError("the server is stopping")
        total = state.n_bytes_total
        self.step(f"download {state.n_bytes / total:.0%}" if total else "download")

    def step(self, text: str) -> None:
        self._running.step = text
        self._tell()
