"""The database's tables, and how those of earlier versions become today's.

Floor 5 of the road. To change the tables: add a step at the end of STEPS; never change one that
was published. The database remembers in SQLite's `user_version` how many steps it has seen.
"""

from __future__ import annotations

from sqlalchemy import Connection

from subvino.errors import ServerError

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL,
            state TEXT NOT NULL,
            task TEXT NOT NULL,
            name TEXT NOT NULL,
            source TEXT NOT NULL,
            options TEXT NOT NULL,
            created REAL NOT NULL,
            started REAL,
            finished REAL,
            position REAL NOT NULL,
            duration REAL,
            error_kind TEXT,
            error TEXT,
            warning TEXT,
            media TEXT,
            keep_media INTEGER NOT NULL,
            url TEXT,
            attempts INTEGER NOT NULL
        )
        """,
        "CREATE INDEX jobs_by_state ON jobs (state, number)",
        "CREATE INDEX jobs_by_key ON jobs (key)",
        """
        CREATE TABLE results (
            key TEXT PRIMARY KEY,
            transcript TEXT NOT NULL,
            warning TEXT,
            made REAL NOT NULL
        )
        """,
    ),
)


def migrate(connection: Connection, steps: tuple[tuple[str, ...], ...] = STEPS) -> None:
    """Bring a database up to today's tables, within the caller's transaction.

    Raises ServerError for one that a later version of subvino has changed.
    """
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > len(steps):
        raise ServerError(
            f"the jobs were kept by a later version of subvino (tables {version}, "
            f"this one knows {len(steps)}); update subvino or take another folder"
        )
    for step in steps[version:]:
        for statement in step:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")
