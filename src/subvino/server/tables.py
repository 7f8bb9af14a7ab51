"""The database's tables as queries see them; `migrations` makes them.

Floor 5 of the road.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, MetaData, Table, Text

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Text),
    Column("key", Text),
    Column("state", Text),
    Column("task", Text),
    Column("name", Text),
    Column("source", Text),
    Column("options", Text),
    Column("created", Float),
    Column("started", Float),
    Column("finished", Float),
    Column("position", Float),
    Column("duration", Float),
    Column("error_kind", Text),
    Column("error", Text),
    Column("warning", Text),
    Column("media", Text),
    Column("keep_media", Integer),
    Column("url", Text),
    Column("attempts", Integer),
)
"""A row a job, see `job.Job`. number: the order in which they came."""

RESULTS = Table(
    "results",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("transcript", Text),
    Column("warning", Text),
    Column("made", Float),
)
"""A row a key, see `job.job_key`."""
