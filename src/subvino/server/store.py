"""The jobs and their results in SQLite: what survives the server.

Floor 5 of the road. Every change is one transaction; a process killed at any moment leaves the
database as it was before or after one. Results are kept by key (see `job.job_key`), so that a
job whose media and options were heard before is done at once, and jobs that wait for the same
result are done together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    update,
)

from subvino.errors import JobNotFoundError, TooManyRequestsError
from subvino.server.job import FINISHED, Job, JobOptions, JobState
from subvino.server.migrations import migrate
from subvino.server.tables import JOBS, RESULTS
from subvino.transcript import Transcript

_FIELDS = tuple(item.name for item in fields(Job) if item.name in JOBS.c)
_JOB = select(*(JOBS.c[name] for name in _FIELDS))


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job: the transcript, and what of the media was lost."""

    transcript: Transcript
    warning: str | None = None


class JobStore:
    """A database of jobs; may be used from any thread.

    clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._engine = _open(path)
        self._clock = clock
        # SQLite has one writer at a time; waiting here is fair, waiting on its lock is not.
        self._writing = threading.Lock()
        with self._write() as connection:
            migrate(connection)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    # --- asking

    def get(self, job_id: str) -> Job:
        """The job; raises JobNotFoundError."""
        with self._engine.connect() as connection:
            row = connection.execute(_JOB.where(JOBS.c.id == job_id)).one_or_none()
        if row is None:
            raise JobNotFoundError(job_id)
        return _job(row)

    def list(
        self, limit: int = 100, state: JobState | None = None, before: float | None = None
    ) -> tuple[Job, ...]:
        """Jobs, the newest first.

        before: only those made before this time, seconds since 1970.
        """
        query = _JOB.order_by(JOBS.c.number.desc()).limit(limit)
        if state is not None:
            query = query.where(JOBS.c.state == state)
        if before is not None:
            query = query.where(JOBS.c.created < before)
        with self._engine.connect() as connection:
            return tuple(_job(row) for row in connection.execute(query))

    def counts(self) -> dict[str, int]:
        """How many jobs there are by state."""
        query = select(JOBS.c.state, func.count()).group_by(JOBS.c.state)
        with self._engine.connect() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

    def place(self, job_id: str) -> int:
        """How many jobs wait before this one."""
        own = select(JOBS.c.number).where(JOBS.c.id == job_id).scalar_subquery()
        query = select(func.count()).where(JOBS.c.state == "queued", JOBS.c.number < own)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def result(self, key: str) -> Result | None:
        """What is kept under a key."""
        with self._engine.connect() as connection:
            return _result(connection, key)

    def media_in_use(self) -> frozenset[str]:
        """The names of all media files that a job still needs."""
        query = select(JOBS.c.media).where(JOBS.c.media.is_not(None)).distinct()
        with self._engine.connect() as connection:
            return frozenset(str(name) for name in connection.execute(query).scalars())

    def keys_in_use(self) -> frozenset[str]:
        """The keys of all jobs that are not finished."""
        query = select(JOBS.c.key).where(JOBS.c.state.not_in(FINISHED)).distinct()
        with self._engine.connect() as connection:
            return frozenset(str(key) for key in connection.execute(query).scalars())

    # --- changing

    def add(self, job: Job, max_waiting: int, *, keep_media: bool) -> Job:
        """Put a new job in the queue; done at once where its result is known.

        keep_media: whether its media file is kept as long as the job.

        Raises TooManyRequestsError where too many jobs wait already.
        """
        with self._write() as connection:
            known = _result(connection, job.key)
            if known is not None:
                job = _answered(job, known, self._clock())
                job = job if keep_media else replace(job, media=None)
            elif _n_waiting(connection, job.key) >= max_waiting:
                raise TooManyRequestsError(f"{max_waiting} jobs wait already; try again later")
            values = {name: getattr(job, name) for name in _FIELDS}
            values |= {"options": job.options.to_json(), "task": job.options.task}
            connection.execute(insert(JOBS).values(**values, keep_media=int(keep_media)))
        return job

    def claim(self, tasks: Collection[str]) -> Job | None:
        """The next job of these tasks, now running; None where none waits.

        A job waits while another one of its key is running.
        """
        running = select(JOBS.c.key).where(JOBS.c.state == "running")
        query = _JOB.where(
            JOBS.c.state == "queued", JOBS.c.task.in_(tasks), JOBS.c.key.not_in(running)
        )
        with self._write() as connection:
            row = connection.execute(query.order_by(JOBS.c.number).limit(1)).one_or_none()
            if row is None:
                return None
            job = _job(row)
            job = replace(job, state="running", started=self._clock(), attempts=job.attempts + 1)
            change = {"state": job.state, "started": job.started, "attempts": job.attempts}
            connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(change))
        return job

    def note_progress(self, job_id: str, position: float, duration: float | None) -> None:
        """Keep how far a running job is."""
        change = {"position": position}
        if duration is not None:
            change["duration"] = duration
        self._change(and_(JOBS.c.id == job_id, JOBS.c.state == "running"), **change)

    def note_media(self, job: Job) -> None:
        """Keep which file was fetched for a job, and the key and name that it has now."""
        self._change(JOBS.c.id == job.id, key=job.key, media=job.media, name=job.name)

    def finish(self, job: Job, result: Result) -> None:
        """Keep a running job's result: it is done, and all that wait for the same."""
        now, duration = self._clock(), result.transcript.duration
        row = {"key": job.key, "transcript": result.transcript.to_json()}
        row_rest = {"warning": result.warning, "made": now}
        with self._write() as connection:
            connection.execute(delete(RESULTS).where(RESULTS.c.key == job.key))
            connection.execute(insert(RESULTS).values(**row, **row_rest))
            connection.execute(
                update(JOBS)
                .where(_of_this_or_waiting_for(job))
                .values(
                    state="done",
                    started=func.coalesce(JOBS.c.started, now),
                    finished=now,
                    warning=result.warning,
                    position=duration,
                    duration=duration,
                )
            )
            _let_media_go(connection)

    def fail(self, job: Job, kind: str, message: str) -> None:
        """The job failed, and so would all that wait for the same."""
        change = {"state": "failed", "finished": self._clock()}
        self._change(_of_this_or_waiting_for(job), **change, error_kind=kind, error=message)

    def cancel(self, job_id: str, state: JobState = "queued") -> None:
        """Mark a job as cancelled if it is in this state."""
        condition = and_(JOBS.c.id == job_id, JOBS.c.state == state)
        self._change(condition, state="cancelled", finished=self._clock())

    def requeue(self, job_id: str) -> None:
        """Let a running job wait again, as if it had not been begun."""
        condition = and_(JOBS.c.id == job_id, JOBS.c.state == "running")
        self._change(condition, state="queued", started=None, attempts=JOBS.c.attempts - 1)

    def recover(self, max_attempts: int) -> None:
        """After a start: what was running waits again, unless the server died of it too often."""
        self._change(
            and_(JOBS.c.state == "running", JOBS.c.attempts >= max_attempts),
            state="failed",
            finished=self._clock(),
            error_kind="ServerError",
            error=f"the server died {max_attempts} times while it worked on this",
        )
        self._change(JOBS.c.state == "running", state="queued", started=None)

    def delete(self, job_id: str) -> None:
        """Forget a job, and its result where no other job has it."""
        with self._write() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.id == job_id))
            _drop_results(connection)

    def purge(self, keep: float) -> None:
        """Forget jobs that were finished more than `keep` seconds ago."""
        before = self._clock() - keep
        with self._write() as connection:
            old = and_(JOBS.c.state.in_(FINISHED), JOBS.c.finished < before)
            connection.execute(delete(JOBS).where(old))
            _drop_results(connection)

    def _change(self, condition: ColumnElement[bool], **values: Any) -> None:
        with self._write() as connection:
            connection.execute(update(JOBS).where(condition).values(**values))
            _let_media_go(connection)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing, self._engine.begin() as connection:
            yield connection


def _open(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    def prepare(connection: Any, record: object) -> None:
        del record
        # SQLAlchemy begins transactions itself, below; the driver must not do so too.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _job(row: Row[Any]) -> Job:
    values = dict(zip(_FIELDS, row, strict=True))
    return Job(**{**values, "options": JobOptions.from_json(values["options"])})


def _result(connection: Connection, key: str) -> Result | None:
    query = select(RESULTS.c.transcript, RESULTS.c.warning).where(RESULTS.c.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else Result(Transcript.from_json(row.transcript), row.warning)


def _answered(job: Job, result: Result, now: float) -> Job:
    """The job as it is when its result was known before it came."""
    duration = result.transcript.duration
    done = replace(job, state="done", started=now, finished=now, warning=result.warning)
    return replace(done, position=duration, duration=duration)


def _n_waiting(connection: Connection, key: str) -> int:
    """How many results are waited for; 0 where this one is already."""
    active = JOBS.c.state.in_(("queued", "running"))
    if connection.execute(select(JOBS.c.id).where(JOBS.c.key == key, active).limit(1)).first():
        return 0
    query = select(func.count(JOBS.c.key.distinct())).where(JOBS.c.state == "queued")
    return int(connection.execute(query).scalar_one())


def _of_this_or_waiting_for(job: Job) -> ColumnElement[bool]:
    """The job itself, and all that wait for the same result."""
    waiting = and_(JOBS.c.key == job.key, JOBS.c.state == "queued")
    return or_(JOBS.c.id == job.id, waiting)


def _let_media_go(connection: Connection) -> None:
    """Forget the media of finished jobs that were not to keep them."""
    over = and_(JOBS.c.keep_media == 0, JOBS.c.state.in_(FINISHED), JOBS.c.media.is_not(None))
    connection.execute(update(JOBS).where(over).values(media=None))


def _drop_results(connection: Connection) -> None:
    connection.execute(delete(RESULTS).where(RESULTS.c.key.not_in(select(JOBS.c.key))))
