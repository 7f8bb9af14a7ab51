"""Folders → their media files, each as soon as it is whole, for as long as one waits.

Floor 3 of the road. The system tells that something changed (watchdog); what there is, is then
listed anew. As it tells nothing about a network share that another machine writes to, folders are
also listed every `rescan` seconds. A file is whole when nothing has changed about it for a while.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from subvino.errors import InputError, MissingExtraError
from subvino.folders import FolderOptions, FoundFile, find_media

_SHORTEST_WAIT = 0.05
"""Seconds between two listings at least, however much changes."""


_PAUSE = 1.0
"""Seconds before files that could not be taken may begin to settle: that may take no time."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How long a file must have stayed as it is, and between two listings; seconds."""

    settle: float = 10.0
    rescan: float = 300.0


@dataclass(slots=True)
class Settling:
    """Which files have stayed as they are; changed in place as they are looked at.

    settle: for so many seconds. since: when each file was first seen as it is.
    """

    settle: float
    since: dict[FoundFile, float] = field(default_factory=dict)

    def look(self, files: Sequence[FoundFile], now: float) -> list[FoundFile]:
        """Those of the files that have settled; now: seconds of a clock that is never set."""
        since = {file: self.since.get(file, now) for file in files}
        settled = [file for file in files if now - since[file] >= self.settle]
        self.since = {file: first for file, first in since.items() if file not in settled}
        return settled

    @property
    def wait(self) -> float | None:
        """Seconds after which the next file may settle; None where all have."""
        if not self.since:
            return None
        return max(min(self.since.values()) + self.settle - time.monotonic(), 0.0)


class FolderWatch:
    """The media files of folders that are whole and new or changed, by folder; it never ends.

    First come those that are there. A folder that can't be listed just now is looked at again
    later.
    """

    def __init__(
        self, folders: Sequence[Path], files: FolderOptions, options: WatchOptions
    ) -> None:
        """Raises MissingExtraError without watchdog, InputError for a folder that is not there."""
        if find_spec("watchdog") is None:
            raise MissingExtraError("watch", "subvino watch")
        for folder in folders:
            find_media(folder, FolderOptions())
        self._files, self._rescan = files, options.rescan
        self._settling = {folder: Settling(options.settle) for folder in folders}
        self._given: dict[Path, FoundFile] = {}

    def __iter__(self) -> Iterator[dict[Path, list[FoundFile]]]:
        with _changes(list(self._settling), self._files.recursive) as changed:
            while True:
                changed.clear()
                if found := self._look(time.monotonic()):
                    yield found
                waits = [state.wait for state in self._settling.values()]
                soonest = min((wait for wait in waits if wait is not None), default=self._rescan)
                changed.wait(max(min(soonest, self._rescan), _SHORTEST_WAIT))

    def give_again(self, folder: Path, files: Sequence[FoundFile]) -> None:
        """Let files of a folder come once more, when they have settled anew."""
        since = time.monotonic() + _PAUSE
        self._settling[folder].since.update((file, since) for file in files)
        for file in files:
            self._given.pop(file.path, None)

    def _look(self, now: float) -> dict[Path, list[FoundFile]]:
        """What is to be given now.

        One time for all folders: what was there at the start of all of them comes together.
        """
        found: dict[Path, list[FoundFile]] = {}
        for folder, state in self._settling.items():
            try:
                listed = find_media(folder, self._files)
            except InputError:  # a share that is away
                continue
            new = [file for file in listed if not self._was_given(file)]
            if whole := state.look(new, now):
                self._given.update((file.path, file) for file in whole)
                found[folder] = whole
        return found

    def _was_given(self, file: FoundFile) -> bool:
        """Whether it was given as it is; with more subtitles beside it, which we make, it is."""
        given = self._given.get(file.path)
        if given is None or (given.size, given.changed_ns) != (file.size, file.changed_ns):
            return False
        if Counter(given.subtitles) - Counter(file.subtitles):
            return False
        self._given[file.path] = file
        return True


@contextmanager
def _changes(folders: Sequence[Path], recursive: bool) -> Iterator[threading.Event]:
    """An event that is set when something in the folders changes."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    changed = threading.Event()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            # Looking at a file is no change, and we look at every one.
            if event.event_type in ("created", "modified", "moved", "closed"):
                changed.set()

    observer = Observer()
    for folder in folders:
        observer.schedule(Handler(), str(folder), recursive=recursive)
    observer.start()
    try:
        yield changed
    finally:
        observer.stop()
        observer.join()
