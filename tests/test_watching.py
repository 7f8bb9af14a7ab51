from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from subvino.errors import MediaNotFoundError
from subvino.folders import FolderOptions, FoundFile
from subvino.watching import FolderWatch, Settling, WatchOptions

pytest.importorskip("watchdog", reason="the extra watch is not installed")

A = FoundFile(Path("a.mp4"), 5, 1)
GROWN = FoundFile(Path("a.mp4"), 6, 2)
B = FoundFile(Path("b.mp4"), 5, 1)


def test_a_file_settles_when_nothing_has_changed_about_it_for_a_while() -> None:
    settling = Settling(10.0)
    assert settling.look([A], 100.0) == []
    assert settling.look([A, B], 109.9) == []
    assert settling.look([A, B], 110.0) == [A]
    assert settling.look([GROWN, B], 119.9) == [B]
    assert settling.look([GROWN], 129.8) == []
    assert settling.look([GROWN], 130.0) == [GROWN]


def test_a_file_whose_time_has_come_since_the_last_look_is_not_waited_for() -> None:
    settling = Settling(10.0)
    assert settling.look([A], time.monotonic() - 11.0) == []
    assert settling.wait == 0.0
    assert settling.look([A], time.monotonic()) == [A]
    assert Settling(10.0).wait is None


def test_a_file_that_went_and_came_back_waits_anew() -> None:
    settling = Settling(10.0)
    settling.look([A], 100.0)
    settling.look([], 105.0)
    assert settling.look([A], 110.0) == []


def watched(*folders: Path, rescan: float = 300.0) -> Iterator[tuple[Path, list[str]]]:
    """The names of files as they settle, which they do at once."""
    options = WatchOptions(settle=0.2, rescan=rescan)
    for found in FolderWatch(folders, FolderOptions(recursive=True), options):
        for folder, files in found.items():
            yield folder, sorted(file.path.name for file in files)


def test_what_is_there_comes_first_and_then_what_comes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "deep").mkdir()
    given = watched(tmp_path)
    assert next(given) == (tmp_path, ["a.mp4"])
    (tmp_path / "notes.txt").touch()
    (tmp_path / "deep" / "b.mkv").touch()
    assert next(given) == (tmp_path, ["b.mkv"])
    (tmp_path / ".c.wav.part").touch()
    (tmp_path / ".c.wav.part").rename(tmp_path / "c.wav")
    assert next(given) == (tmp_path, ["c.wav"])
    (tmp_path / "a.mp4").write_bytes(b"longer")
    assert next(given) == (tmp_path, ["a.mp4"])


def test_a_file_comes_again_when_its_subtitles_go_and_not_when_they_come(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    given = watched(tmp_path)
    assert next(given) == (tmp_path, ["a.mp4"])
    (tmp_path / "a.en.srt").touch()
    (tmp_path / "b.mp4").touch()
    assert next(given) == (tmp_path, ["b.mp4"])
    (tmp_path / "a.en.srt").unlink()
    assert next(given) == (tmp_path, ["a.mp4"])


def test_what_is_there_at_the_start_comes_together_from_all_folders(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
        (folder / "x.mp4").touch()
    found = next(iter(FolderWatch(folders, FolderOptions(), WatchOptions(settle=0.2))))
    assert {folder: [file.path.name for file in files] for folder, files in found.items()} == {
        folder: ["x.mp4"] for folder in folders
    }


def test_files_that_could_not_be_taken_come_again(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    watch = FolderWatch([tmp_path], FolderOptions(), WatchOptions(settle=0.1))
    given = iter(watch)
    first = next(given)
    watch.give_again(tmp_path, first[tmp_path])
    assert next(given) == first


def test_a_folder_that_goes_away_is_seen_again_when_it_is_back(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "a.mp4").touch()
    given = watched(share, rescan=0.2)
    next(given)
    shutil.rmtree(share)
    os.mkdir(share)  # noqa: PTH102
    (share / "b.mp4").touch()
    assert next(given) == (share, ["b.mp4"])


def test_a_folder_that_never_was_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        next(watched(tmp_path / "no"))
