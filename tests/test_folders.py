from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subvino.errors import MediaNotFoundError
from subvino.folders import (
    FolderOptions,
    FoundFile,
    Order,
    find_media,
    has_subtitles_inside,
    speaks,
)
from subvino.media import probe
from subvino.video import mux
from tests.sounds import Track, write_media
from tests.video.videos import track, write_video

FILES = (
    "b.MKV",
    "a.mp4",
    "a.de.srt",
    "b.srt",
    "notes.txt",
    ".hidden.mp4",
    "sub/c.mp3",
    "sub/deep/d.v2.wav",
    "sub/deep/d.v2.eng.forced.vtt",
    ".trash/e.mp4",
    "@eaDir/f.mp4",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place, name in enumerate(FILES):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(place * 3 % 11))
        os.utime(path, (1000, 1000 + place * 7 % 11))
    return tmp_path


def names(folder: Path, options: FolderOptions) -> list[str]:
    return [file.path.relative_to(folder).as_posix() for file in find_media(folder, options)]


def test_media_files_are_found_in_order_without_hidden_ones(folder: Path) -> None:
    assert names(folder, FolderOptions()) == ["a.mp4", "b.MKV"]
    deep = ["a.mp4", "b.MKV", "sub/c.mp3", "sub/deep/d.v2.wav"]
    assert names(folder, FolderOptions(recursive=True)) == deep


def test_only_files_with_the_endings_asked_for(folder: Path) -> None:
    options = FolderOptions(recursive=True, suffixes=frozenset({"mkv", "txt"}))
    assert names(folder, options) == ["b.MKV", "notes.txt"]


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("newest", lambda file: -file.path.stat().st_mtime),
        ("oldest", lambda file: file.path.stat().st_mtime),
        ("smallest", lambda file: file.path.stat().st_size),
        ("largest", lambda file: -file.path.stat().st_size),
    ],
)
def test_files_come_in_the_order_asked_for(
    folder: Path, order: Order, key: Callable[[FoundFile], float]
) -> None:
    options = FolderOptions(recursive=True, order=order)
    found = find_media(folder, options)
    assert found == sorted(found, key=key)
    assert len(found) == 4


def test_subtitles_beside_a_file_are_seen_with_their_language(folder: Path) -> None:
    found = {file.path.name: file for file in find_media(folder, FolderOptions(recursive=True))}
    beside = {name: file.subtitles for name, file in found.items()}
    assert beside == {"a.mp4": ("de",), "b.MKV": ("",), "c.mp3": (), "d.v2.wav": ("en",)}
    assert found["a.mp4"].is_subtitled(["de"])
    assert not found["a.mp4"].is_subtitled(["en", "fr"])
    assert found["b.MKV"].is_subtitled(["any"])
    assert not found["b.MKV"].is_subtitled(["de"])
    assert not found["c.mp3"].is_subtitled(["any", "de"])


def test_a_subtitle_of_another_file_with_a_longer_name_is_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    for name in ("talk.mp4", "talk 2.srt", "talks.de.srt"):
        (tmp_path / name).touch()
    assert find_media(tmp_path, FolderOptions())[0].subtitles == ()


@pytest.mark.parametrize("name", ["#Alive (2020).flac", "@home.mp3", "$9.99.mkv"])
def test_a_file_or_folder_is_found_whatever_sign_its_name_begins_with(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    (tmp_path / "#Rock").mkdir()
    (tmp_path / "#Rock" / name).touch()
    assert names(tmp_path, FolderOptions(recursive=True)) == sorted([name, f"#Rock/{name}"])


@pytest.mark.parametrize("name", ["@eaDir", "#recycle", "#snapshot", "@Recycle", "$RECYCLE.BIN"])
def test_what_a_nas_or_a_system_keeps_for_itself_is_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.mp4").touch()
    assert names(tmp_path, FolderOptions(recursive=True)) == []


def test_copies_with_subtitles_are_left_out_beside_their_original(tmp_path: Path) -> None:
    copies = ("a.subtitled.mp4", "a.burned.mkv", "a.subtitled.burned.mp4")
    for name in ("a.ts", *copies, "b.subtitled.mp4", "subtitled.mp4"):
        (tmp_path / name).touch()
    left = ["a.ts", "b.subtitled.mp4", "subtitled.mp4"]
    assert names(tmp_path, FolderOptions()) == left
    options = FolderOptions(suffixes=frozenset({"mp4"}))
    assert names(tmp_path, options) == left[1:]


@pytest.mark.parametrize(
    ("media", "subtitles", "owner"),
    [
        (("film.flac", "film.extras.flac"), "film.extras.en.srt", "film.extras.flac"),
        (("film.flac", "film.extras.flac"), "film.en.srt", "film.flac"),
        (("film.flac", "film.2.txt"), "film.2.srt", "film.flac"),
        (("film.flac",), "film.extras.en.srt", None),
        (("film.flac",), "film.2019.srt", None),
        (("film.flac",), "film.English.sdh.srt", "film.flac"),
        (("film.flac",), "film.zh-Hans.srt", "film.flac"),
        (("film.flac",), "film.gsw.1.srt", "film.flac"),
        (("film.2019.flac",), "film.2019.en.synced.srt", "film.2019.flac"),
    ],
)
def test_subtitles_belong_to_the_longest_name_if_they_only_add_a_language_to_it(
    tmp_path: Path, media: tuple[str, ...], subtitles: str, owner: str | None
) -> None:
    for name in (*media, subtitles):
        (tmp_path / name).touch()
    found = find_media(tmp_path, FolderOptions())
    assert [file.path.name for file in found if file.subtitles] == ([owner] if owner else [])


def test_a_file_that_is_not_taken_has_its_subtitles_all_the_same(tmp_path: Path) -> None:
    for name in ("film.flac", "film.extras.mkv", "film.extras.srt"):
        (tmp_path / name).touch()
    options = FolderOptions(suffixes=frozenset({"flac"}))
    assert [file.subtitles for file in find_media(tmp_path, options)] == [()]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        find_media(tmp_path / "no", FolderOptions())


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_that_go_round_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path, FolderOptions(recursive=True)) == ["a.mp4"]


def test_languages_of_sound_are_looked_up_in_the_container(tmp_path: Path) -> None:
    sound = np.zeros(16_000, np.float32)
    german = Track(sound, "pcm_s16le", rate=16_000, metadata={"language": "ger"})
    info = probe(write_media(tmp_path / "a.mkv", german))
    assert speaks(info, ["en", "de"])
    assert not speaks(info, ["en"])
    assert not has_subtitles_inside(info, ["any"])


def test_subtitles_inside_a_container_are_seen_with_their_language(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mkv")
    mux(video, [track("de")], tmp_path / "b.mkv")
    info = probe(tmp_path / "b.mkv")
    assert has_subtitles_inside(info, ["de", "fr"])
    assert has_subtitles_inside(info, ["any"])
    assert not has_subtitles_inside(info, ["en"])
