from __future__ import annotations

import sys
from pathlib import Path

import pytest

from subvino.cli.claims import Claims
from subvino.errors import OutputError
from subvino.outputs import OutputPlace


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with film.mkv and film.mp4 in it."""
    for name in ("film.mkv", "film.mp4"):
        (tmp_path / name).touch()
    return tmp_path


def take(claims: Claims, path: Path) -> bool:
    return claims.take(OutputPlace(path.parent, path.stem), path, path.name)


def test_files_are_those_of_the_first_who_takes_them(films: Path) -> None:
    claims = Claims()
    assert take(claims, films / "film.mkv")
    with pytest.raises(OutputError, match=r"film\.mp4: would write the same files as film\.mkv;"):
        take(claims, films / "film.mp4")


def test_who_wrote_them_in_an_earlier_run_keeps_them(films: Path) -> None:
    claims = Claims()
    claims.keep(OutputPlace(films, "film"), films / "film.mp4")
    with pytest.raises(OutputError, match=r"film\.mkv: would write the same files as .*film\.mp4"):
        take(claims, films / "film.mkv")
    assert take(claims, films / "film.mp4")


def test_an_input_is_taken_once_in_a_call_and_again_in_the_next(films: Path) -> None:
    claims = Claims()
    assert take(claims, films / "film.mkv")
    assert not take(claims, films / ".." / films.name / "film.mkv")
    claims.begin()
    assert take(claims, films / "film.mkv")
    with pytest.raises(OutputError):
        take(claims, films / "film.mp4")


def test_files_of_one_that_has_gone_are_free(films: Path) -> None:
    claims = Claims()
    take(claims, films / "film.mkv")
    claims.begin()
    (films / "film.mkv").unlink()
    assert take(claims, films / "film.mp4")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_folder_reached_by_a_link_is_the_same(films: Path) -> None:
    (films / "link").symlink_to(films, target_is_directory=True)
    claims = Claims()
    assert take(claims, films / "film.mkv")
    assert not take(claims, films / "link" / "film.mkv")


def test_addresses_with_one_name_are_two_inputs(tmp_path: Path) -> None:
    claims, place = Claims(), OutputPlace(tmp_path, "talk")
    assert claims.take(place, "s3://a/talk.mp4", "s3://a/talk.mp4")
    assert not claims.take(place, "s3://a/talk.mp4", "s3://a/talk.mp4")
    with pytest.raises(OutputError):
        claims.take(place, "s3://b/talk.mp4", "s3://b/talk.mp4")
