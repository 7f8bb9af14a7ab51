from __future__ import annotations

from pathlib import Path

import pytest

from subvino.errors import JobBusyError
from subvino.ledger import Ledger


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "talk.en.srt"
    path.write_text("1")
    return path


def test_a_file_is_done_while_it_and_what_was_written_are_as_they_were(
    tmp_path: Path, written: Path
) -> None:
    path = tmp_path / "talk.mp4"
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        assert not ledger.is_done(path, 5, 7)
        ledger.note(path, 5, 7, [written])
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        assert ledger.is_done(path, 5, 7)
        assert not ledger.is_done(path, 6, 7)
        assert not ledger.is_done(path, 5, 8)
        assert not ledger.is_done(tmp_path / "other.mp4", 5, 7)
        written.unlink()
        assert not ledger.is_done(path, 5, 7)


def test_a_file_that_changed_and_was_done_again_is_done(tmp_path: Path, written: Path) -> None:
    for size in (5, 6):
        with Ledger(tmp_path / "a", tmp_path) as ledger:
            ledger.note(tmp_path / "talk.mp4", size, size, [written])
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        assert ledger.is_done(tmp_path / "talk.mp4", 6, 6)
        assert ledger.knows(tmp_path / "talk.mp4")
        assert not ledger.knows(tmp_path / "other.mp4")
        assert not ledger.is_done(tmp_path / "talk.mp4", 5, 5)


def test_one_may_begin_anew_and_only_one_holds_it(tmp_path: Path, written: Path) -> None:
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        ledger.note(tmp_path / "talk.mp4", 5, 7, [written])
        with pytest.raises(JobBusyError):
            Ledger(tmp_path / "a", tmp_path)
    with Ledger(tmp_path / "a", tmp_path, resume=False) as ledger:
        assert not ledger.is_done(tmp_path / "talk.mp4", 5, 7)


def test_ten_thousand_files_are_known_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        for number in range(10_000):
            ledger.note(tmp_path / f"{number}.mkv", number, number, ())
    with Ledger(tmp_path / "a", tmp_path) as ledger:
        assert all(ledger.is_done(tmp_path / f"{n}.mkv", n, n) for n in range(10_000))
