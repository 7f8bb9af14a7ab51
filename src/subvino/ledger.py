"""Which files of a folder are done, so that a folder of ten thousand goes on after a stop.

Floor 3 of the road. A record for each file that is done, in a file that is only added to
(`records.RecordFile`): a file is done while it is as it was (size and time of its last change, both
in the folder's listing) and what was written for it is still there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from subvino.errors import JobBusyError
from subvino.records import Record, RecordFile

SUFFIX = ".ledger"


@dataclass(frozen=True, slots=True)
class DoneFile:
    """What was done for a file; written: paths of what was made of it."""

    size: int
    changed_ns: int
    written: tuple[str, ...]


class Ledger:
    """The files of one folder that were done in one way; held by one process at a time."""

    def __init__(self, place: Path, folder: Path, resume: bool = True) -> None:
        """Open it, or begin one.

        place: of the ledger, without its ending. folder: what it is about, for people.
        resume: False forgets what was done.

        Raises JobBusyError where another process holds it, OSError where it can't be written.
        """
        place.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(place.with_suffix(".lock"), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise JobBusyError(str(folder)) from None
        try:
            self._file = RecordFile(place.with_suffix(SUFFIX))
            if not resume:
                self._file.cut(0)
            self._done = {
                name: done
                for _, record in self._file.read()
                for name, done in [_read_record(record)]
            }
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Ledger:
        """Itself; it is closed on leaving."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        with suppress(OSError):  # a disk that is full: what it lacks is done again
            self._file.close()
        self._lock.release()

    def knows(self, path: Path) -> bool:
        """Whether the file was done, be it changed since or not."""
        return os.path.abspath(path) in self._done  # noqa: PTH100  Path.absolute keeps ".."

    def is_done(self, path: Path, size: int, changed_ns: int) -> bool:
        """Whether the file is as it was when it was done, and what was written is still there."""
        done = self._done.get(os.path.abspath(path))  # noqa: PTH100  Path.absolute keeps ".."
        return (
            done is not None
            and (done.size, done.changed_ns) == (size, changed_ns)
            and all(Path(name).exists() for name in done.written)
        )

    def note(self, path: Path, size: int, changed_ns: int, written: Sequence[Path]) -> None:
        """Remember that the file is done. Raises OSError where that can't be written down."""
        names = tuple(os.path.abspath(one) for one in written)  # noqa: PTH100
        name = os.path.abspath(path)  # noqa: PTH100
        self._done[name] = DoneFile(size, changed_ns, names)
        self._file.add({"path": name, "size": size, "changed_ns": changed_ns, "written": names})


def _read_record(record: Record) -> tuple[str, DoneFile]:
    written = tuple(map(str, record["written"]))
    return str(record["path"]), DoneFile(record["size"], record["changed_ns"], written)
