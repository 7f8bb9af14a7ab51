"""What is done of a job so far, so that a job that was stopped goes on where it stood.

Floor 3 of the road. A job is one media file heard with one model and one set of options. Each
window's result is written down as soon as it is known (`records.RecordFile`); the first record
tells what the job is.

On the next run the media is decoded and its speech laid out in windows again, which is about a
thousand times faster than playing it, and what was recognized is taken from the journal. A record
names the window and its very samples by a digest, and records are used from the first on, in order,
only while that digest fits; the first one also names the windows that were taken before it was
known, which had a say in the language. So a journal can't give a wrong result, whatever became of
the media: its name need tell media apart only well enough to be found again (`digest_media`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from subvino.audio import Window, WindowSound
from subvino.errors import JobBusyError
from subvino.recognizer import Carry, DecodingOptions, FileRecognizer, WindowResult
from subvino.records import Record, RecordFile, read_records
from subvino.transcript import Segment, Word

SUFFIX = ".journal"

_FORMAT = 1
_SAMPLED_BLOCKS = 16
_BLOCK_BYTES = 1 << 16
_COMPUTED_WITH = ("numpy", "openvino", "av", "tokenizers")


@dataclass(frozen=True, slots=True)
class Job:
    """One media file heard in one way.

    media, model: what the user calls them, for people.
    media_digest: see `digest_media`.
    engine: a digest of all that makes text out of sound: model, device, code.
    parts: which of the sound is heard, in words: track and clips.
    """

    media: str
    model: str
    media_digest: str
    engine: str
    options: DecodingOptions
    parts: str = ""

    @property
    def key(self) -> str:
        """A word that tells it from any other job, whatever the media is called."""
        return digest_values(self.media_digest, self.engine, asdict(self.options), self.parts)


def digest_values(*values: object) -> str:
    """32 hex digits of values that JSON can hold."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def digest_media(path: Path) -> str:
    """A digest of the file's size and of 16 blocks of 64 KiB spread evenly over it.

    It names the journal, so it must be quick for 50 GB on a network share, and the same wherever
    the file lies and whenever it was copied. That it leaves out most of the file does no harm: what
    is taken from a journal is told by the samples heard.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(b"%d" % size)
    with path.open("rb", buffering=0) as file:
        for index in range(_SAMPLED_BLOCKS):
            file.seek(max(size - _BLOCK_BYTES, 0) * index // (_SAMPLED_BLOCKS - 1))
            digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()


@cache
def digest_code() -> str:
    """A digest of subvino's own code and data, and of the versions of what it computes with.

    Of the files themselves: a number that somebody must think of raising is forgotten one day.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest_values(digest.hexdigest(), *map(_version, _COMPUTED_WITH))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class Journal:
    """The results of one job; while it is open no other process writes to it.

    n_results, position: windows that are done, and the media time up to which an earlier run came,
        seconds.
    problem: why nothing can be written down any more; the work goes on without it.
    """

    def __init__(self, folder: Path, job: Job, resume: bool = True) -> None:
        """Open the job's journal, or begin one; resume: False begins anew in any case.

        Raises JobBusyError where another process holds it, OSError where it can't be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{job.key}{SUFFIX}"
        self.problem: OSError | None = None
        self.n_results, self.position = 0, 0.0
        self._pending: deque[str] = deque()  # digests of windows that are being recognized
        self._taken: deque[WindowSound] = deque()  # looked at, not yet given
        self._lock = _acquire(path, job.media)
        try:
            self._file = RecordFile(path)
            self._look_through(job, resume)
        except BaseException:
            _let_go(self._lock)
            raise

    def __enter__(self) -> Journal:
        """Itself; it is closed on leaving."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Keep it for the next run, and let other processes have it."""
        with suppress(OSError):
            self._file.close()
        _let_go(self._lock)

    def discard(self) -> None:
        """Delete it: the job's files are written."""
        with suppress(OSError):
            self._file.close()
            self._file.path.unlink(missing_ok=True)
        _let_go(self._lock)

    def _look_through(self, job: Job, resume: bool) -> None:
        """Find out what an earlier run came to; begin anew where it was no run of this job."""
        records = (record for _, record in self._file.read())
        head = next(records, None)
        if resume and head is not None and (head.get("format"), head.get("key")) == _mark(job):
            for record in records:
                self.n_results += 1
                self.position = _reach(record)
            return
        self._file.cut(0)
        self._file.add(_head(job))

    def recall(self, sounds: Iterator[WindowSound]) -> Iterator[WindowResult]:
        """The results that an earlier run came to, taking their windows from `sounds`.

        Where the first window comes that has none, or another, what is written down from there on
        is forgotten; `rest` then gives that window again.
        """
        records = self._file.read()
        next(records)  # the head
        for n_given, (offset, record) in enumerate(records):
            digests = [record.get("sound"), *record.get("ahead", ())]
            if not self._come_next(digests, sounds):
                self._file.cut(offset)
                self.n_results = n_given
                return
            yield _to_result(record, self._taken.popleft().window)

    def _come_next(self, digests: Sequence[object], sounds: Iterator[WindowSound]) -> bool:
        """Whether these are the next windows, and not others or none."""
        for place, digest in enumerate(digests):
            if place == len(self._taken):
                self._taken.extend(islice(sounds, 1))
            if place == len(self._taken) or self._taken[place].digest != digest:
                return False
        return True

    def rest(self, sounds: Iterator[WindowSound]) -> Iterator[WindowSound]:
        """The windows that are still to be recognized; `note` takes their results in order."""
        while self._taken:
            yield self._noted(self._taken.popleft())
        yield from map(self._noted, sounds)

    def _noted(self, sound: WindowSound) -> WindowSound:
        self._pending.append(sound.digest)
        return sound

    def note(self, result: WindowResult) -> None:
        """Write down the result of the next window of those that `rest` gave."""
        record = _to_record(self._pending.popleft(), result)
        if self.n_results == 0:
            record["ahead"] = list(self._pending)
        self.n_results += 1
        if self.problem is None:
            try:
                self._file.add(record)
            except OSError as error:
                self.problem = error


class JournalledRecognizer:
    """A recognizer that does not do again what a journal has; see `recognizer.Recognizer`."""

    def __init__(self, recognizer: FileRecognizer, journal: Journal) -> None:
        self._recognizer, self._journal = recognizer, journal

    def recognize(
        self,
        sounds: Iterable[WindowSound],
        options: DecodingOptions,
        after: Carry | None = None,
    ) -> Iterator[WindowResult]:
        """A result for every window, in order; each is in the journal before it is given."""
        journal, source = self._journal, iter(sounds)
        for result in journal.recall(source):
            after = result.carry
            yield result
        for result in self._recognizer.recognize(journal.rest(source), options, after):
            journal.note(result)
            yield result


# --- journals on disk


@dataclass(frozen=True, slots=True)
class UnfinishedJob:
    """A journal that is kept for the next run.

    position: media time up to which windows were recognized, seconds. size: bytes on disk.
    """

    path: Path
    media: str
    model: str
    position: float
    size: int


def list_jobs(folder: Path) -> list[UnfinishedJob]:
    """The jobs that were stopped, in order of what their media is called."""
    found = (_describe(path) for path in folder.glob(f"*{SUFFIX}"))
    return sorted((job for job in found if job is not None), key=lambda job: job.media)


def _describe(path: Path) -> UnfinishedJob | None:
    try:
        records = [record for _, record in read_records(path)]
        size = path.stat().st_size
    except FileNotFoundError:  # finished just now
        return None
    head: Record = records[0] if records else {}
    position = _reach(records[-1]) if len(records) > 1 else 0.0
    return UnfinishedJob(path, str(head.get("media")), str(head.get("model")), position, size)


def clean_jobs(folder: Path) -> tuple[int, int]:
    """Delete all journals that no process works on; gives their number and bytes."""
    n_jobs = n_bytes = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            lock = _acquire(path, "")
        except JobBusyError:
            continue
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        finally:
            _let_go(lock)
        n_jobs, n_bytes = n_jobs + 1, n_bytes + size
    return n_jobs, n_bytes


def _acquire(path: Path, media: str) -> FileLock:
    # Not bound to a thread: a server opens a journal in one and closes it in another.
    lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise JobBusyError(media) from None
    return lock


def _let_go(lock: FileLock) -> None:
    """Release the lock and leave nothing of it: there may be ten thousand jobs.

    Deleted while it is held. Who has opened it meanwhile finds after locking it that it has no name
    any more, and begins again (filelock looks for that).
    """
    if not lock.is_locked:
        return
    if os.name != "nt":  # Windows deletes no open file; there filelock does it
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


# --- records


def _mark(job: Job) -> tuple[int, str]:
    return _FORMAT, job.key


def _head(job: Job) -> Record:
    return {"format": _FORMAT, "key": job.key, "media": job.media, "model": job.model}


def _to_record(digest: str, result: WindowResult) -> dict[str, Any]:
    return {
        "sound": digest,
        "end": result.window.end,
        "language": result.language,
        "language_probability": result.language_probability,
        "segments": [astuple(segment) for segment in result.segments],
        "carry": None if result.carry is None else astuple(result.carry),
    }


def _reach(record: Record) -> float:
    """Media time at which the record's window ends, seconds."""
    end = record.get("end")
    return end if isinstance(end, float) else 0.0


def _to_result(record: Record, window: Window) -> WindowResult:
    """The window's result that the record holds."""
    carry = record["carry"]
    return WindowResult(
        window=window,
        segments=tuple(map(_to_segment, record["segments"])),
        language=record["language"],
        language_probability=record["language_probability"],
        carry=None if carry is None else Carry(carry[0], carry[1], tuple(carry[2])),
    )


def _to_segment(row: list[Any]) -> Segment:
    text, start, end, words, *rest = row
    spoken = None if words is None else tuple(Word(*word) for word in words)
    return Segment(text, start, end, spoken, *rest)
