from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from subvino.errors import ServerError
from subvino.server.job import Job, JobOptions, job_key
from subvino.server.migrations import STEPS
from subvino.server.store import JobStore, Result
from subvino.transcript import Segment, Transcript

TASKS = frozenset({"transcribe"})
HEARD = Result(Transcript((Segment("Hello.", 0.0, 1.0),), "en", 1.0, 2.0), "0.5 s were lost")


def make_job(number: int, key: str = "") -> Job:
    options = JobOptions(prompt=f"number {number}")
    key = key or job_key("digest", options)
    return Job(f"{number:032x}", key, "queued", "talk.mp4", "jobs", options, created=float(number))


def test_a_job_comes_back_as_it_was_put_in(tmp_path: Path) -> None:
    job = replace(make_job(1), media="file.mp4", duration=12.5)
    JobStore(tmp_path / "jobs").add(job, 10, keep_media=True)
    assert JobStore(tmp_path / "jobs").get(job.id) == job


def test_jobs_are_done_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    for number in (3, 1, 2):
        store.add(make_job(number), 10, keep_media=False)
    assert store.place(make_job(2).id) == 2
    claimed = [store.claim(TASKS) for _ in range(4)]
    assert [job and job.created for job in claimed] == [3.0, 1.0, 2.0, None]
    assert [job.created for job in store.list()] == [2.0, 1.0, 3.0]
    assert store.counts() == {"running": 3}


def test_a_job_waits_while_another_one_of_its_key_is_running(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    for number in (1, 2):
        store.add(make_job(number, "same"), 10, keep_media=False)
    first = store.claim(TASKS)
    assert first is not None
    assert store.claim(TASKS) is None
    store.finish(first, HEARD)
    assert [job.state for job in store.list()] == ["done", "done"]
    assert store.get(make_job(2).id).warning == HEARD.warning


def test_a_failure_is_that_of_all_who_wait_for_the_same(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    for number in (1, 2):
        store.add(make_job(number, "same"), 10, keep_media=False)
    first = store.claim(TASKS)
    assert first is not None
    store.fail(first, "DamagedMediaError", "broken off")
    assert {(job.state, job.error) for job in store.list()} == {("failed", "broken off")}


def test_after_a_death_running_jobs_wait_again_until_it_happens_too_often(tmp_path: Path) -> None:
    JobStore(tmp_path / "jobs").add(make_job(1), 10, keep_media=False)
    for _ in range(3):
        store = JobStore(tmp_path / "jobs")
        store.recover(max_attempts=3)
        claimed = store.claim(TASKS)
        assert claimed is not None
    store = JobStore(tmp_path / "jobs")
    store.recover(max_attempts=3)
    assert store.claim(TASKS) is None
    assert store.get(make_job(1).id).error == "the server died 3 times while it worked on this"


def test_a_server_that_is_stopped_in_good_order_counts_as_no_attempt(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.add(make_job(1), 10, keep_media=False)
    for _ in range(5):
        job = store.claim(TASKS)
        assert job is not None
        assert job.attempts == 1
        store.requeue(job.id)


def test_a_result_is_kept_as_long_as_a_job_has_it(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs", clock=lambda: 1000.0)
    store.add(make_job(1, "same"), 10, keep_media=False)
    job = store.claim(TASKS)
    assert job is not None
    store.finish(job, HEARD)
    assert store.add(make_job(2, "same"), 10, keep_media=False).state == "done"
    store.delete(make_job(1).id)
    assert store.result("same") == HEARD
    store.delete(make_job(2).id)
    assert store.result("same") is None


# --- tables


def test_the_database_of_every_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    whole = JobStore(tmp_path / "whole")
    whole.close()
    for version in range(len(STEPS)):
        path = tmp_path / f"version{version}"
        with sqlite3.connect(path) as connection:
            for statement in (line for step in STEPS[:version] for line in step):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
        JobStore(path).close()
        assert tables_of(path) == tables_of(tmp_path / "whole")


def tables_of(path: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as connection:
        return sorted(connection.execute("SELECT name, sql FROM sqlite_schema").fetchall())


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    JobStore(tmp_path / "jobs").close()
    with sqlite3.connect(tmp_path / "jobs") as connection:
        connection.execute("PRAGMA user_version = 99")
    before = tables_of(tmp_path / "jobs")
    with pytest.raises(ServerError, match="later version"):
        JobStore(tmp_path / "jobs")
    assert tables_of(tmp_path / "jobs") == before


def test_readers_never_wait_for_a_writer(tmp_path: Path) -> None:
    """Which is what SQLite's write-ahead log is for."""
    store = JobStore(tmp_path / "jobs")
    with sqlite3.connect(tmp_path / "jobs", isolation_level=None) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        assert store.list() == ()
        other.execute("ROLLBACK")
    store.close()
