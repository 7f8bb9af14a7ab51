from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from subvino.cli import main
from subvino.errors import UrlError
from subvino.storage import (
    digest_stored,
    fetch_stored,
    find_stored,
    is_storage_url,
    stored_stem,
)
from tests.buckets import open_bucket

pytestmark = pytest.mark.filterwarnings("default")  # of the libraries of S3's maker


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    with open_bucket("films") as client:
        yield client


def test_a_file_in_a_bucket_comes_whole(bucket: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 30_000
    bucket.put_object(Bucket="films", Key="a/talk.mp4", Body=data)
    steps: list[tuple[int, int]] = []
    path = fetch_stored("s3://films/a/talk.mp4", tmp_path, lambda *step: steps.append(step))
    assert path.read_bytes() == data
    assert path.suffix == ".mp4"
    assert steps[-1] == (len(data), len(data))


def test_what_changes_in_a_bucket_is_known_without_reading_it(bucket: Any) -> None:
    seen = []
    for body in (b"one", b"two"):
        bucket.put_object(Bucket="films", Key="c/talk.mp4", Body=body)
        seen += [digest_stored("s3://films/c/talk.mp4") for _ in range(2)]
    assert seen[0] == seen[1]
    assert seen[1] != seen[2]


def test_a_star_names_all_files_that_fit_in_order(bucket: Any) -> None:
    for key in ("b/2.mp3", "b/1.mp3", "b/1.txt"):
        bucket.put_object(Bucket="films", Key=key, Body=b"x")
    assert find_stored("s3://films/b/*.mp3") == ["s3://films/b/1.mp3", "s3://films/b/2.mp3"]
    assert find_stored("s3://films/b/1.mp3") == ["s3://films/b/1.mp3"]


@pytest.mark.parametrize("url", ["s3://films/none.mp4", "s3://nowhere/a.mp4"])
def test_what_is_not_there_is_told_in_a_line(bucket: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(UrlError, match="check the URL") as caught:
        fetch_stored(url, tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(UrlError, match=r"no such files|can't be read"):
        find_stored(f"{url}*")


@pytest.mark.parametrize(
    "text",
    ["talk.mp4", "http://host/a.mp4", "file:///etc/passwd", "zip://a::s3://b", "github://o:r@/a"],
)
def test_only_storage_elsewhere_is_reached(text: str) -> None:
    assert not is_storage_url(text)


def test_what_is_made_of_a_file_is_named_after_it() -> None:
    assert stored_stem("s3://films/a/b/My talk.final.mp4") == "My talk.final"
    assert stored_stem("s3://films") == "subtitles"


def test_the_command_reads_a_bucket_and_names_what_it_can_not(
    bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transcript = b"not media\n" * 100
    bucket.put_object(Bucket="films", Key="c/talk.mp4", Body=transcript)
    with pytest.raises(SystemExit) as ended:
        main(["s3://films/c/*.mp4", "--output-dir", str(tmp_path)])
    assert ended.value.code == 1
    assert "not a media file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
