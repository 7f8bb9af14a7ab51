"""Bars on the terminal: how far a file is, and the steps of getting a model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from subvino.cli.screen import Screen, to_visible

# A file's name can hold what Rich takes for markup.
_NAME = TextColumn("{task.description}", markup=False)


class _Speed(ProgressColumn):
    """Seconds of sound done in a second, on the whole."""

    def render(self, task: Task) -> Text:
        """As "12.3x"; nothing of a bar that counts files."""
        if "skipped" in task.fields:
            return Text("")
        return Text(f"{_speed(task):.1f}x" if _speed(task) else "")


class _Remaining(ProgressColumn):
    """The time that is left, told from all that was done so far.

    Windows are decoded together, so that results come in bursts with seconds between them: the
    speed of the last few results, which Rich's own column goes by, is that of the burst alone.
    """

    def render(self, task: Task) -> Text:
        """As "1:05 left"; before the first result, what is going on."""
        if not task.completed:
            return Text("listening…")
        if task.total is None or task.elapsed is None or not _speed(task):
            return Text("")
        waited = task.elapsed - task.fields["took"]
        left = max((task.total - task.completed) / _speed(task) - waited, 0.0)
        return Text(f"{round(left) // 60}:{round(left) % 60:02} left")


def _speed(task: Task) -> float:
    """Seconds of sound, or files, done in a second when the last came; 0 before the first."""
    took = task.fields["took"]
    return (task.completed - task.fields.get("skipped", 0)) / took if took else 0.0


@contextmanager
def show_media(
    screen: Screen, name: str, duration: float | None
) -> Iterator[Callable[[float], None]]:
    """A bar for a media file while the block runs; call what it gives with the seconds done.

    duration: None where the media does not tell.
    """
    if not screen.has_bars:
        yield _ignore_seconds
        return
    with _bars(_NAME, BarColumn(), _Percentage(), _Speed(), _Remaining()) as bars:
        bar = bars.add_task(to_visible(name), total=duration, took=0.0)
        begin = time.monotonic()
        yield lambda seconds: bars.update(
            bar, completed=min(seconds, duration or seconds), took=time.monotonic() - begin
        )


def _ignore_seconds(seconds: float) -> None:
    del seconds


MAX_BARS = 8
"""On the screen: a cluster hears hundreds of media files at once."""


class MediaBars:
    """A bar for each media file that is being heard, and one for the files of folders.

    Of many the first are shown; that of the folders' files tells how long all of them will take.
    """

    def __init__(self, screen: Screen) -> None:
        self._bars: Progress | None = None
        if screen.has_bars:
            self._bars = _bars(_NAME, BarColumn(), _Percentage(), _Speed(), _Remaining())
        self._by_name: dict[str, TaskID] = {}
        self._files: TaskID | None = None
        self._began = time.monotonic()

    def __enter__(self) -> MediaBars:
        """Itself; drawn as soon as there is something to draw."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take them off the screen."""
        if self._bars is not None:
            self._bars.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No bars while the block runs, which may draw some of its own."""
        if self._bars is None:
            yield
            return
        self._bars.stop()
        yield
        if self._by_name or self._files is not None:
            self._bars.start()

    def add(self, name: str, duration: float | None) -> Callable[[float], None]:
        """A bar for a media file; call what it gives with the seconds done.

        duration: None where the media does not tell.
        """
        if self._bars is None:
            return _ignore_seconds
        bars, begin = self._bars, time.monotonic()
        is_shown = len(self._by_name) < MAX_BARS
        bar = bars.add_task(to_visible(name), visible=is_shown, total=duration, took=0.0)
        self._by_name[name] = bar
        bars.start()
        return lambda seconds: bars.update(
            bar, completed=min(seconds, duration or seconds), took=time.monotonic() - begin
        )

    def remove(self, name: str) -> None:
        """Take a media file's bar away."""
        if self._bars is not None and name in self._by_name:
            self._bars.remove_task(self._by_name.pop(name))
            for shown in islice(self._by_name.values(), MAX_BARS):
                self._bars.update(shown, visible=True)

    def expect(self, n_files: int) -> None:
        """There are so many files more."""
        if self._bars is None:
            return
        if self._files is None:
            self._files = self._bars.add_task("files", total=0, took=0.0, skipped=0)
        total = self._bars.tasks[self._bars.task_ids.index(self._files)].total or 0
        self._bars.update(self._files, total=total + n_files)

    def count(self, n_files: int, n_skipped: int) -> None:
        """So many files are done; of these some took no time, as they were skipped."""
        if self._bars is not None and self._files is not None:
            took = time.monotonic() - self._began
            self._bars.update(self._files, completed=n_files, took=took, skipped=n_skipped)


class _Percentage(ProgressColumn):
    """How much is done; nothing where the whole is not known."""

    def render(self, task: Task) -> Text:
        """As " 42%"."""
        return Text("" if task.total is None else f"{task.percentage:3.0f}%")


@contextmanager
def show_steps(screen: Screen) -> Iterator[Callable[[str, int, int], None]]:
    """A `models.Progress` that draws a bar a step, or says each step once in a line."""
    if not screen.has_bars:
        yield _Lines(screen).report
        return
    with _bars(_NAME, BarColumn(), DownloadColumn(), TransferSpeedColumn()) as bars:
        yield _Steps(bars).report


class _Steps:
    """A bar for each step."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._by_step: dict[str, TaskID] = {}

    def report(self, step: str, done: int, total: int) -> None:
        if step not in self._by_step:
            self._by_step[step] = self._bars.add_task(to_visible(step))
        self._bars.update(self._by_step[step], completed=done, total=total or None)


class _Lines:
    """A line for each step."""

    def __init__(self, screen: Screen, subject: str = "model: ") -> None:
        self._screen, self._subject = screen, subject
        self._last = ""

    def report(self, step: str, done: int, total: int) -> None:
        del done, total
        if step != self._last:
            self._screen.note(f"{self._subject}{step}")
        self._last = step


class CountReport:
    """Tells how far long work is, and what is worth keeping of it."""

    def __init__(self, screen: Screen, progress: Callable[[str, int, int], None]) -> None:
        self._screen = screen
        self.progress = progress

    def note(self, text: str) -> None:
        """A line that stays."""
        self._screen.note(text)


@contextmanager
def show_counts(screen: Screen) -> Iterator[CountReport]:
    """A bar for each step of long work with what is done of it, or a line each."""
    if not screen.has_bars:
        yield CountReport(screen, _Lines(screen, "").report)
        return
    with _bars(_NAME, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as bars:
        yield CountReport(screen, _Steps(bars).report)


def _bars(*columns: ProgressColumn) -> Progress:
    # What is printed meanwhile goes above the bars, but only if both go to the terminal: what
    # another program reads must stay on stdout.
    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
