from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from subvino.errors import DamagedMediaError
from subvino.media import file as media_file
from subvino.media import probe, read_audio, watchdog
from subvino.media.watchdog import StalledError, Watchdog, WatchedFile
from tests.sounds import Track, beeps, write_media


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(watchdog, "_SLICE", 0.05)


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What stuck threads wait for, so that none outlives its test."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name == "media":
            thread.join()


def nothing() -> None:
    pass


class StuckFile(io.BufferedReader):
    """A file whose disk stops to answer after the first `n` bytes."""

    def __init__(self, path: Path, n: int, released: threading.Event) -> None:
        super().__init__(io.FileIO(path))
        self._n, self._released = n, released

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() + (size or 0) > self._n:
            self._released.wait()
        return super().read(size)


def test_work_gives_its_result_or_its_error() -> None:
    dog = Watchdog(nothing)
    assert dog.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        dog.run(lambda: 1 // 0)
    assert dog.run(lambda: 8) == 8


def test_work_that_stands_still_is_given_up_for_good(released: threading.Event) -> None:
    cleaned = threading.Event()
    dog = Watchdog(cleaned.set)
    with pytest.raises(StalledError):
        dog.run(released.wait)
    assert dog.stalled
    with pytest.raises(StalledError):
        dog.run(lambda: 7)
    assert not cleaned.is_set()
    released.set()
    assert cleaned.wait(60), "what it held is let go when it comes back"


def test_work_that_goes_on_may_take_any_time(released: threading.Event) -> None:
    dog = Watchdog(nothing)

    def slow() -> int:
        for _ in range(20):
            released.wait(0.03)
            dog.beat()
        return 7

    assert dog.run(slow) == 7


def test_circles_through_a_file_are_no_progress(tmp_path: Path, released: threading.Event) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(1 << 20))
    dog = Watchdog(nothing)
    with path.open("rb") as handle:
        file = WatchedFile(handle, dog)

        def circle() -> None:
            while not released.is_set():
                file.seek(0)
                while file.read(1 << 16):
                    released.wait(0.001)

        with pytest.raises(StalledError):
            dog.run(circle)
        released.set()


def test_a_file_shown_in_part_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    with path.open("rb") as handle:
        file = WatchedFile(handle, Watchdog(nothing), 60)
        assert file.seek(0, 2) == 60
        assert file.seek(-10, 2) == 50
        assert (file.read(100), file.read(1), file.tell()) == (bytes(range(50, 60)), b"", 60)


@pytest.mark.parametrize("read", [probe, read_audio])
def test_a_file_that_stalls_at_once_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: threading.Event, read: Any
) -> None:
    path = write_media(tmp_path / "a.wav", Track(beeps([1.0], 2.0, 48_000), "pcm_s16le"))
    stick(monkeypatch, path, 1000, released)
    with pytest.raises(DamagedMediaError, match="nothing moved for"):
        read(path)


def test_sound_read_before_a_stall_is_kept_and_the_rest_told_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    path = write_media(tmp_path / "a.wav", Track(beeps([1.0], 30.0, 16_000), "pcm_s16le", 16_000))
    stick(monkeypatch, path, 700_000, released)
    with read_audio(path, block=5.0) as stream:
        seconds = sum(block.duration for block in stream)
    assert 5.0 <= seconds <= 21.0
    error = stream.error()
    assert error is not None
    assert "nothing moved for" in str(error)
    assert error.lost == pytest.approx(30.0 - seconds)


def stick(monkeypatch: pytest.MonkeyPatch, path: Path, n: int, released: threading.Event) -> None:
    def opened(_: Path) -> BinaryIO:
        return StuckFile(path, n, released)

    monkeypatch.setattr(media_file, "_open_handle", opened)
