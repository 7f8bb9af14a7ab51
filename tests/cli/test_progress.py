"""The bar of a media file, with results that come in bursts."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console
from rich.progress import Progress, Task

from subvino.cli import progress
from subvino.cli.screen import Screen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def shown(task: Task) -> tuple[str, str]:
    """The speed and the time that is left."""
    return progress._Speed().render(task).plain, progress._Remaining().render(task).plain


def test_the_time_left_goes_by_all_that_was_done_and_counts_down_between_bursts(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = Progress(console=Console(file=io.StringIO()), get_time=lambda: clock[0])
    monkeypatch.setattr(progress, "_bars", lambda *columns: _Unshown(bars))
    monkeypatch.setattr(Screen, "has_bars", True)
    with progress.show_media(Screen(), "talk.mp4", 600.0) as advance:
        (task,) = bars.tasks
        assert shown(task) == ("", "listening…")
        clock[0] += 15
        for seconds in (30, 60, 150):  # a burst
            advance(seconds)
        assert shown(task) == ("10.0x", "0:45 left")
        clock[0] += 10
        assert shown(task) == ("10.0x", "0:35 left")
        clock[0] += 60
        assert shown(task) == ("10.0x", "0:00 left")
        advance(700.0)
        assert task.completed == 600.0


class _Unshown:
    """Bars that no terminal draws."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    def __enter__(self) -> Progress:
        return self._bars

    def __exit__(self, *_error: object) -> None:
        pass


def test_of_media_that_does_not_tell_its_length_the_speed_is_shown(clock: list[float]) -> None:
    bars = Progress(console=Console(file=io.StringIO()), get_time=lambda: clock[0])
    bar = bars.add_task("talk.mp4", total=None, took=0.0)
    clock[0] += 2
    bars.update(bar, completed=30.0, took=2.0)
    assert shown(bars.tasks[0]) == ("15.0x", "")
