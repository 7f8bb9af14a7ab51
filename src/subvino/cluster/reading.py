"""Media read on a worker's machine, a span of windows at a time."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from subvino.audio import Samples, WindowSound
from subvino.cluster.spans import Failure, Media, Span, make_span
from subvino.errors import SubvinoError
from subvino.journal import digest_media
from subvino.pipeline import MediaSource, Transcriber
from subvino.storage import fetch_stored, is_storage_url

Error = TypeVar("Error", bound=SubvinoError)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A media file as it lies here; place: as the user calls it."""

    path: Path
    place: str

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let errors call it as the user does."""
        try:
            yield
        except SubvinoError as error:
            self.name(error)
            raise

    def name(self, error: Error) -> Error:
        """The error, with the file called as the user does."""
        error.args = (str(error).replace(str(self.path), self.place), *error.args[1:])
        return error


class _Opened:
    """A media file that is being read; n_read: windows that were taken."""

    def __init__(self, copy: _Copy, source: MediaSource, cleanup: ExitStack) -> None:
        self._copy, self._source, self._cleanup = copy, source, cleanup
        cleanup.callback(source.close)
        self._windows = source.windows()
        self.n_read = 0

    def take(self, n_windows: int) -> list[WindowSound]:
        with self._copy.named():
            sounds = list(islice(self._windows, n_windows))
        self.n_read += len(sounds)
        return sounds

    def describe(self, sounds: list[WindowSound], is_last: bool) -> Span:
        damage = self._source.error() if is_last else None
        if damage is not None:
            damage = self._copy.name(damage)
        first = self.n_read - len(sounds)
        return make_span(sounds, first, self._source.duration, is_last, damage)

    def close(self) -> None:
        self._cleanup.close()


class MediaReader:
    """Reads media for whoever needs its windows.

    A span is told by its place in the file, so that any worker can read it, again if need be. One
    that goes on where the last one ended is read without going through the file from its start.
    """

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def read(
        self, media: Media, first: int, n_windows: int
    ) -> tuple[Span | Failure | None, list[Samples]]:
        """The span of `n_windows` behind `first`, and the samples of its windows.

        None where the media is not on this machine; a failure where it can't be read.
        """
        try:
            opened = self._at(media, first)
            if opened is None:
                return None, []
            return self._take(opened, media, n_windows)
        except SubvinoError as error:
            return Failure.of(error), []

    def close(self, reading: str) -> None:
        """Read no more of it."""
        with self._lock:
            opened = self._opened.pop(reading, None)
        if opened is not None:
            opened.close()

    def _take(self, opened: _Opened, media: Media, n_windows: int) -> tuple[Span, list[Samples]]:
        try:
            sounds = opened.take(n_windows)
            is_last = len(sounds) < n_windows
            span = opened.describe(sounds, is_last)
        except BaseException:
            opened.close()
            raise
        if is_last:
            opened.close()
        else:
            with self._lock:
                self._opened[media.reading] = opened
        return span, [sound.samples for sound in sounds]

    def _at(self, media: Media, first: int) -> _Opened | None:
        """The media, read up to there."""
        with self._lock:
            opened = self._opened.pop(media.reading, None)
        if opened is not None and opened.n_read != first:
            opened.close()
            opened = None
        if opened is None:
            opened = self._open(media)
            if opened is not None:
                opened.take(first)
        return opened

    def _open(self, media: Media) -> _Opened | None:
        path, cleanup = Path(media.place), ExitStack()
        is_url = is_storage_url(media.place)
        if not is_url and not _is_same(path, media.digest):
            return None
        try:
            if is_url:
                folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="subvino."))
                path = fetch_stored(media.place, Path(folder))
            copy = _Copy(path, media.place)
            with copy.named():
                source = self._transcriber.source(
                    path, media.options, media.audio_track, media.clips
                )
        except BaseException:
            cleanup.close()
            raise
        return _Opened(copy, source, cleanup)


def _is_same(path: Path, digest: str) -> bool:
    """Whether the file that is meant lies there."""
    try:
        return digest_media(path) == digest
    except OSError:
        return False
