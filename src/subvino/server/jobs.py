"""The jobs of a server: ask for one, look how it goes, take its result.

Floor 5 of the road. The one object that the interfaces talk to; its methods may be called from any
thread, and only those called `..._async` from the event loop.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from subvino.errors import (
    ForbiddenError,
    JobCancelledError,
    JobNotReadyError,
    ServerError,
    SubvinoError,
)
from subvino.pipeline import FileWriter, OutputOptions, load_transcriber
from subvino.server.changes import Changes
from subvino.server.failure import failure_of
from subvino.server.job import Job, JobOptions, JobState, job_key
from subvino.server.loaded import Load, LoadedModels, choose_model
from subvino.server.media_store import (
    ArrivedMedia,
    empty_folder,
    keep_file,
    prepare_folders,
    receive_file,
    remove_unused,
)
from subvino.server.settings import ServerSettings
from subvino.server.store import JobStore, Result
from subvino.server.worker import Desk, Running, Worker, check_media
from subvino.transcript import Segment, Transcript

LANES: tuple[frozenset[str], ...] = (
    frozenset({"transcribe", "translate"}),
    frozenset({"detect-language"}),
)
"""Tasks done one after the other: what takes a second never waits for a film of another lane."""

PURGE_EVERY = 60.0
WATCH_EVERY = 0.2
"""Seconds between two looks at a job that goes on and on changing."""

log = logging.getLogger("subvino.server")


class Jobs:
    """All jobs in a server's folder, and the workers that do them.

    with Jobs(ServerSettings(folder)) as jobs:
        job = jobs.submit_file(Path("talk.mp4"), JobOptions(language="en"))
        for job in jobs.watch(job.id):
            print(job.state, job.progress, job.eta)
        print(jobs.render(job.id, "srt").decode())

    load: gives a loaded model; another one in tests.
    """

    def __init__(self, settings: ServerSettings, load: Load = load_transcriber) -> None:
        self.settings = settings
        self.changes = Changes()
        self._running: dict[str, Running] = {}
        self._stopping = threading.Event()
        # A media file must not be swept away between its arrival and its job's.
        self._sweeping = threading.Lock()
        self._load = load
        self._workers: tuple[Worker, ...] = ()
        self._purger = threading.Thread(target=self._purge, name="subvino-purge", daemon=True)

    # --- life

    def __enter__(self) -> Jobs:
        """Begin to work; raises ServerError where another server has the folder."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop working."""
        self.stop()

    def start(self) -> None:
        """Open the folder, go on with what was left undone, begin to work; once.

        Raises ServerError where another server has the folder, OutputError.
        """
        if self._workers:
            return
        settings = self.settings
        prepare_folders(settings.folder, settings.media_folder, settings.journal_folder)
        self._folder_lock = _lock(settings.folder)
        empty_folder(settings.incoming_folder)
        self.store = JobStore(settings.folder / "jobs.sqlite3")
        self.store.recover(settings.limits.max_attempts)
        self._sweep()
        desk = Desk(
            settings, self.store, self._running, self.changes.tell, self._stopping, self._fetch
        )
        long, short = LANES
        self._workers = tuple(
            Worker(desk, tasks, LoadedModels(settings, self._load))
            for tasks in (*[long] * settings.n_jobs, short)
        )
        for thread in (*self._workers, self._purger):
            thread.start()

    def stop(self) -> None:
        """Stop at the next block of sound; what is running goes on after the next start."""
        workers, self._workers = self._workers, ()
        if not workers:
            return
        self._stopping.set()
        self.changes.tell()
        for worker in workers:
            worker.wake()
        for thread in (*workers, self._purger):
            thread.join()
        self.store.close()
        self._folder_lock.release()

    @property
    def is_stopping(self) -> bool:
        """Whether nothing is done any more."""
        return self._stopping.is_set()

    @property
    def is_working(self) -> bool:
        """Whether jobs are, or would be, worked on."""
        alive = all(worker.is_alive() for worker in self._workers)
        return bool(self._workers) and alive and not self.is_stopping

    @property
    def seconds_heard(self) -> float:
        """Seconds of media heard since the start."""
        return sum(worker.seconds_heard for worker in self._workers)

    def loaded_models(self) -> tuple[str, ...]:
        """The names of the models in memory."""
        names = (worker.models.name for worker in self._workers)
        return tuple(sorted({name for name in names if name is not None}))

    # --- asking for jobs

    def submit_file(
        self,
        path: Path,
        options: JobOptions | None = None,
        name: str = "",
        source: str = "page",
        *,
        keep_media: bool = True,
    ) -> Job:
        """A job for a copy of a file on this machine.

        name: of the file as its owner calls it; its own if "".
        keep_media: whether `media` gives the copy for as long as the job is kept.

        Raises InputError, TooLargeError, ModelNotFoundError, OptionError, TooManyRequestsError.
        """
        options = options or JobOptions()
        self._check(path, name or path.name, options)
        most = self.settings.limits.max_upload_bytes
        arrived = receive_file(path, self.settings.incoming_folder, name, most)
        return self.submit(arrived, options, source, keep_media=keep_media)

    def submit(
        self, arrived: ArrivedMedia, options: JobOptions, source: str, *, keep_media: bool = False
    ) -> Job:
        """A job for media that have arrived in the incoming folder, which they leave.

        Raises what `submit_file` raises; the file is gone then.
        """
        try:
            options = replace(options, model=choose_model(options.model, self.settings))
            duration = self._check(arrived.path, arrived.name, options)
            with self._sweeping:
                job = _new_job(arrived.name, options, source)
                media = keep_file(arrived, self.settings.media_folder)
                job = replace(job, key=job_key(arrived.digest, options), media=media)
                return self._add(replace(job, duration=duration), keep_media)
        finally:
            arrived.path.unlink(missing_ok=True)

    def submit_url(
        self,
        url: str,
        options: JobOptions | None = None,
        source: str = "page",
        *,
        keep_media: bool = True,
    ) -> Job:
        """A job for what stands at an address, fetched when it is its turn.

        Raises ForbiddenError where the server fetches nothing, or nothing from there.
        """
        from subvino.server.fetching import check_address

        if not self.settings.allow_urls:
            raise ForbiddenError("this server fetches no addresses; upload the file")
        check_address(url, self.settings)
        options = options or JobOptions()
        options = replace(options, model=choose_model(options.model, self.settings))
        job = replace(_new_job(url, options, source), url=url)
        return self._add(replace(job, key=f"url {job.id}"), keep_media)

    def _check(self, path: Path, name: str, options: JobOptions) -> float | None:
        """The media's duration, if they can be heard; errors call them by their name."""
        try:
            return check_media(path, options, self.settings)
        except SubvinoError as error:
            error.args = (str(error).replace(str(path), name), *error.args[1:])
            raise

    def _add(self, job: Job, keep_media: bool) -> Job:
        job = self.store.add(job, self.settings.limits.max_waiting, keep_media=keep_media)
        for worker in self._workers:
            worker.wake()
        self.changes.tell()
        return job

    # --- looking

    def get(self, job_id: str) -> Job:
        """The job as it is now; raises JobNotFoundError."""
        job = self.store.get(job_id)
        running = self._running_for(job)
        return running.snapshot(job) if running and not job.is_finished else job

    def list(
        self, limit: int = 100, state: JobState | None = None, before: float | None = None
    ) -> tuple[Job, ...]:
        """Jobs, the newest first; `before`: only those made before, seconds since 1970."""
        return tuple(
            running.snapshot(job)
            if not job.is_finished and (running := self._running_for(job))
            else job
            for job in self.store.list(limit, state, before)
        )

    def place(self, job_id: str) -> int:
        """How many jobs wait before this one."""
        return self.store.place(job_id)

    def segments(self, job_id: str, since: int = 0) -> tuple[Segment, ...]:
        """What was heard so far, without the first `since` segments; all when it is done."""
        job = self.store.get(job_id)
        running = self._running_for(job)
        if running is not None and not job.is_finished:
            return tuple(running.segments[since:])
        result = self.store.result(job.key) if job.state == "done" else None
        return result.transcript.segments[since:] if result else ()

    def watch(self, job_id: str, every: float = 10.0) -> Iterator[Job]:
        """The job whenever it has changed, and every some seconds; ends when it is finished.

        Raises JobNotFoundError, also when it is deleted meanwhile.
        """
        while True:
            seen = self.changes.count
            job = self.get(job_id)
            yield job
            if job.is_finished or self.is_stopping:
                return
            self.changes.wait(seen, every)
            time.sleep(WATCH_EVERY)

    async def watch_async(self, job_id: str, every: float = 10.0) -> AsyncIterator[Job]:
        """As `watch`, for the event loop."""
        import asyncio

        while True:
            seen = self.changes.count
            job = await asyncio.to_thread(self.get, job_id)
            yield job
            if job.is_finished or self.is_stopping:
                return
            await self.changes.wait_async(seen, every)
            await asyncio.sleep(WATCH_EVERY)

    # --- results

    def result(self, job_id: str) -> Result:
        """What came of a job.

        Raises JobNotFoundError, JobNotReadyError, JobCancelledError, and for a job that failed an
        error of the class it failed with.
        """
        job = self.store.get(job_id)
        if job.state == "failed":
            raise failure_of(job)
        if job.state == "cancelled":
            raise JobCancelledError("the job was cancelled")
        found = self.store.result(job.key) if job.state == "done" else None
        if found is None:
            raise JobNotReadyError(f"the job is {job.state}; wait for it")
        return replace(found, transcript=replace(found.transcript, media=job.name))

    def transcript(self, job_id: str) -> Transcript:
        """What was said; raises what `result` raises."""
        return self.result(job_id).transcript

    def render(self, job_id: str, name: str, options: OutputOptions | None = None) -> bytes:
        """The content of a file of the format named; raises OptionError and what `result` does.

        options: profile and rules of its cues.
        """
        return render(self.transcript(job_id), name, options)

    def media(self, job_id: str) -> Path | None:
        """The job's media file, while it is kept."""
        media = self.store.get(job_id).media
        path = self.settings.media_folder / media if media else None
        return path if path is not None and path.is_file() else None

    # --- ending

    def cancel(self, job_id: str) -> Job:
        """Let the job end; a finished one stays as it is. Raises JobNotFoundError.

        A running job ends at its next block of sound.
        """
        self.store.get(job_id)
        self.store.cancel(job_id)
        if running := self._running.get(job_id):
            running.cancelled = True
        self.changes.tell()
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forget the job and all that belongs to it; ends it first. Raises JobNotFoundError."""
        self.cancel(job_id)
        for job in self.watch(job_id, every=1.0):
            if job.is_finished:
                self.store.delete(job_id)
        self._sweep()
        self.changes.tell()

    # --- inside

    def _running_for(self, job: Job) -> Running | None:
        """The work that the job's result comes from: its own, or that of one of the same key."""
        if (own := self._running.get(job.id)) is not None:
            return own
        same = (one for one in tuple(self._running.values()) if one.job.key == job.key)
        return next(same, None)

    def _fetch(self, running: Running) -> Job:
        """Bring the media of a job that has an address; gives the job with its key and media."""
        from subvino.server.fetching import fetch

        job = running.job
        arrived = fetch(running, self.settings, self._stopping, self.changes.tell)
        with self._sweeping:
            media = keep_file(arrived, self.settings.media_folder)
            key = job_key(arrived.digest, job.options)
            job = replace(job, key=key, media=media, name=arrived.name)
            self.store.note_media(job)
        return job

    def _purge(self) -> None:
        while not self._stopping.wait(PURGE_EVERY):
            self.store.purge(self.settings.keep)
            self._sweep()

    def _sweep(self) -> None:
        with self._sweeping:
            remove_unused(self.settings.media_folder, self.store.media_in_use())
            remove_unused(self.settings.journal_folder, self.store.keys_in_use())


def render(transcript: Transcript, name: str, options: OutputOptions | None = None) -> bytes:
    """The content of a file of the format named; raises OptionError."""
    writer = FileWriter(options or OutputOptions(formats=(name,)))
    return writer.contents(transcript, (name,))[name]


def _new_job(name: str, options: JobOptions, source: str) -> Job:
    return Job(
        id=secrets.token_hex(16),
        key="",
        state="queued",
        name=name,
        source=source,
        options=options,
        created=time.time(),
    )


def _lock(folder: Path) -> BaseFileLock:
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ServerError(
            f"{folder}: another server has it; stop that one, or take another folder"
        ) from None
    return lock
