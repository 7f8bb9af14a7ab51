from __future__ import annotations

from pathlib import Path

import pytest

from subvino.cli.jobs import format_clock
from subvino.journal import Job, Journal
from subvino.pipeline import jobs_folder
from subvino.recognizer import DecodingOptions
from tests.cli.conftest import Run


def stop(media: str) -> None:
    with Journal(jobs_folder(), Job(media, "base", media, "e", DecodingOptions())):
        pass


def test_what_was_stopped_is_listed_and_forgotten_on_demand(run: Run) -> None:
    assert run("jobs", "list").err == ["nothing was stopped"]
    stop("b.mp4")
    stop("a.mp4")
    assert run("jobs", "list").out == [
        "INPUT  DONE TO  MODEL",
        "a.mp4  0:00:00  base",
        "b.mp4  0:00:00  base",
    ]
    assert run("jobs", "clean").err == ["2 jobs forgotten, 0 MB freed"]
    assert run("jobs", "list").out == []
    assert list(Path(jobs_folder()).iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0:00:00"), (59.99, "0:00:59"), (36_000.0, "10:00:00")]
)
def test_a_time_is_shown_as_clocks_do(seconds: float, shown: str) -> None:
    assert format_clock(seconds) == shown
