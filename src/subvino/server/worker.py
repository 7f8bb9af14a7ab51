"""The thread that does the jobs: one after the other, each until it is done or stopped.

Floor 5 of the road.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from subvino.clip import heard_seconds, parse_clips
from subvino.errors import (
    JobBusyError,
    JobCancelledError,
    ServerError,
    SubvinoError,
    TooLargeError,
)
from subvino.journal import Journal
from subvino.media import choose_audio_track, probe
from subvino.pipeline import Transcriber, TranscriptStream
from subvino.server.job import Job, JobOptions
from subvino.server.loaded import LoadedModels
from subvino.server.settings import ServerSettings
from subvino.server.store import JobStore, Result
from subvino.transcript import Segment, Transcript
from subvino.transcription import UNDETERMINED

SAVE_EVERY = 2.0
"""Seconds between two notes of a running job's progress in the database."""

log = logging.getLogger("subvino.server")


@dataclass(slots=True)
class Running:
    """What a running job has heard so far; written by its worker, read by all.

    heard, to_hear: seconds of its media; heard_before: of an earlier run, taken from its journal.
    began: `time.monotonic` when more than that began to be heard.
    """

    job: Job
    segments: list[Segment] = field(default_factory=list)
    language: str | None = None
    position: float = 0.0
    heard: float = 0.0
    heard_before: float = 0.0
    to_hear: float | None = None
    duration: float | None = None
    step: str = ""
    began: float | None = None
    cancelled: bool = False

    def eta(self) -> float | None:
        """Seconds until it is done; None while that can't be told."""
        new = self.heard - self.heard_before
        if self.began is None or self.to_hear is None or new <= 0:
            return None
        took = time.monotonic() - self.began
        return max((self.to_hear - self.heard) * took / new, 0.0)

    def snapshot(self, job: Job) -> Job:
        """The job as it is now."""
        duration = self.duration or job.duration
        return replace(
            job, position=self.position, duration=duration, eta=self.eta(), step=self.step
        )


@dataclass(frozen=True, slots=True)
class Desk:
    """What all workers share.

    fetch: brings the media of a job that has only an address.
    """

    settings: ServerSettings
    store: JobStore
    running: dict[str, Running]
    tell: Callable[[], None]
    stopping: threading.Event
    fetch: Callable[[Running], Job]


class Worker(threading.Thread):
    """Does jobs of some tasks until the desk is closed."""

    def __init__(self, desk: Desk, tasks: frozenset[str], models: LoadedModels) -> None:
        super().__init__(name=f"subvino-{'-'.join(sorted(tasks))}", daemon=True)
        self._desk, self._tasks, self.models = desk, tasks, models
        self._wake = threading.Event()
        self.seconds_heard = 0.0

    def wake(self) -> None:
        """Look for a job now."""
        self._wake.set()

    def run(self) -> None:
        """Take jobs as they come."""
        while not self._desk.stopping.is_set():
            self._wake.clear()
            try:
                self._take_next()
            except Exception:  # a full disk, say: it may have room again later
                log.exception("the store can't be used", extra={"worker": self.name})
                self._wake.wait(timeout=1.0)

    def _take_next(self) -> None:
        job = self._desk.store.claim(self._tasks)
        if job is not None:
            self._take(job)
        elif not self.models.unload_idle():
            self._wake.wait(timeout=min(5.0, self._desk.settings.model_idle))

    def _take(self, job: Job) -> None:
        running = Running(job)
        self._desk.running[job.id] = running
        self._desk.tell()
        begin = time.monotonic()
        try:
            outcome = self._work(running)
            self._end(running, outcome)
        finally:
            del self._desk.running[job.id]
            self._desk.tell()
        self.seconds_heard += running.heard - running.heard_before
        took = round(time.monotonic() - begin, 3)
        ended = "done" if isinstance(outcome, Result) else str(outcome)
        log.info("job ended", extra={"job": job.id, "outcome": ended, "seconds": took})

    def _work(self, running: Running) -> Result | SubvinoError:
        try:
            return do_job(running, self._desk, self.models)
        except SubvinoError as error:
            return error
        except Exception:
            log.exception("job failed", extra={"job": running.job.id})
            return ServerError("an error of the server's own; its log tells more")

    def _end(self, running: Running, outcome: Result | SubvinoError) -> None:
        store, job = self._desk.store, running.job
        if isinstance(outcome, Result):
            store.finish(job, outcome)
        elif running.cancelled:
            store.cancel(job.id, "running")
        elif self._desk.stopping.is_set():
            store.requeue(job.id)
            return
        else:
            store.fail(job, type(outcome).__name__, name_media(str(outcome), job, self._desk))
        shutil.rmtree(self._desk.settings.journal_folder / job.key, ignore_errors=True)


def name_media(message: str, job: Job, desk: Desk) -> str:
    """The message with the media called as its owner does, not by its path here."""
    if job.media is None:
        return message
    return message.replace(str(desk.settings.media_folder / job.media), job.name)


def do_job(running: Running, desk: Desk, models: LoadedModels) -> Result:
    """What comes of a job. Raises SubvinoError."""
    job = running.job
    if job.media is None:
        job = running.job = desk.fetch(running)
        known = desk.store.result(job.key)
        if known is not None:
            return known
    path = desk.settings.media_folder / str(job.media)
    check_media(path, job.options, desk.settings)
    running.step = "load the model"
    desk.tell()
    with models.borrow(job.options, _as_step(running, desk)) as transcriber:
        running.step = ""
        if job.options.task == "detect-language":
            return _detect(running, path, desk, transcriber)
        return _transcribe(running, path, desk, transcriber)


def check_media(path: Path, options: JobOptions, settings: ServerSettings) -> float | None:
    """Refuse media that can't be heard, or is too long; gives its duration. Raises SubvinoError."""
    info = probe(path)
    choose_audio_track(info, options.audio_track)
    if info.duration is not None and options.task != "detect-language":
        clips = parse_clips(options.clip) if options.clip else ()
        _check_length(heard_seconds(clips, info.duration), settings)
    return info.duration


def _check_length(seconds: float, settings: ServerSettings) -> None:
    most = settings.limits.max_duration
    if seconds > most:
        raise TooLargeError(
            f"the media is longer than {most / 60:g} minutes; send parts of it, or name one as clip"
        )


def _as_step(running: Running, desk: Desk) -> Callable[[str, int, int], None]:
    def report(step: str, done: int, total: int) -> None:
        running.step = f"{step} {done / total:.0%}" if total else step
        desk.tell()

    return report


class _Watch:
    """Told the seconds of every block of a job's sound: ends the work where it must not go on."""

    def __init__(self, running: Running, desk: Desk) -> None:
        self._running, self._desk = running, desk
        self._heard = 0.0

    def __call__(self, seconds: float) -> None:
        self.check()
        self._heard += seconds
        # A container may tell less than it holds.
        _check_length(self._heard, self._desk.settings)

    def check(self) -> None:
        if self._running.cancelled:
            raise JobCancelledError("the job was cancelled")
        if self._desk.stopping.is_set():
            raise ServerError("the server is stopping")


def _transcribe(running: Running, path: Path, desk: Desk, transcriber: Transcriber) -> Result:
    options = running.job.options
    clips = parse_clips(options.clip) if options.clip else ()
    watch = _Watch(running, desk)
    stream = transcriber.open(path, options.decoding(), options.audio_track, clips, watch)
    running.duration, running.to_hear = stream.duration, stream.to_hear
    with _journalled(stream, running, desk) as journal:
        n_known = journal.n_results if journal else 0
        _listen(stream, n_known, running, desk)
    damage = stream.error()
    transcript = replace(stream.transcript(), media=running.job.name)
    lost = None if damage is None else name_media(str(damage), running.job, desk)
    return Result(transcript, lost)


def _listen(stream: TranscriptStream, n_known: int, running: Running, desk: Desk) -> None:
    """Have the stream transcribed; n_known: results that an earlier run came to."""
    watch = _Watch(running, desk)
    running.began, saved = time.monotonic(), 0.0
    for number, result in enumerate(stream, 1):
        watch.check()
        running.segments.extend(result.segments)
        running.position, running.heard = stream.position, stream.heard
        running.language = stream.language
        if number <= n_known:
            running.began, running.heard_before = time.monotonic(), stream.heard
        elif time.monotonic() - saved > SAVE_EVERY:
            desk.store.note_progress(running.job.id, running.position, running.duration)
            saved = time.monotonic()
        desk.tell()


@contextmanager
def _journalled(stream: TranscriptStream, running: Running, desk: Desk) -> Iterator[Journal | None]:
    """The journal of the work, in use; None where there can't be one.

    It stays until what came of the work is in the store: see `_end`.
    """
    folder = desk.settings.journal_folder / running.job.key
    try:
        journal = Journal(folder, stream.job(running.job.name))
    except (JobBusyError, OSError) as error:
        log.warning("no journal", extra={"job": running.job.id, "reason": str(error)})
        yield None
        return
    with journal:
        stream.go_on_with(journal)
        yield journal


def _detect(running: Running, path: Path, desk: Desk, transcriber: Transcriber) -> Result:
    """A transcript without segments: all that is known is the language."""
    options = running.job.options
    clips = parse_clips(options.clip) if options.clip else ()
    watch = _Watch(running, desk)
    heard = transcriber.detect_language(path, options.audio_track, clips, watch)
    code, probability = _likeliest(heard)
    duration = probe(path).duration or 0.0
    return Result(Transcript((), code, probability, duration, media=running.job.name))


def _likeliest(heard: Mapping[str, float]) -> tuple[str, float]:
    return next(iter(heard.items()), (UNDETERMINED, 0.0))
