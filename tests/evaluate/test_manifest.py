from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from subvino.errors import ManifestError, MediaNotFoundError
from subvino.evaluate.manifest import Clip, Span, TimedText, name_manifest, read_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a set called "talks", with an audio file."""
    place = tmp_path / "talks"
    (place / "audio").mkdir(parents=True)
    (place / "audio" / "a.flac").write_bytes(b"fLaC")
    return place


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "manifest.jsonl"
    lines = [json.dumps({"audio": "audio/a.flac", "text": "Guten Tag.", **row}) for row in rows]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return path


def read_one(folder: Path, **row: Any) -> Clip:
    (clip,) = read_manifest(write(folder, row)).clips
    return clip


def test_a_line_is_a_clip_and_its_audio_lies_beside_the_manifest(folder: Path) -> None:
    manifest = read_manifest(write(folder, {"id": "first", "lang": "de", "speaker": "x"}, {}))
    first, second = manifest.clips
    assert manifest.name == "talks"
    assert (first.id, first.text, first.language) == ("first", "Guten Tag.", "de")
    assert first.audio == folder / "audio" / "a.flac"
    assert (second.id, second.language) == ("a", None)


def test_a_set_is_named_by_its_folder_or_file(folder: Path, tmp_path: Path) -> None:
    path = write(folder, {})
    assert name_manifest(folder) == name_manifest(path) == "talks"
    assert name_manifest(tmp_path / "calls.jsonl") == "calls"
    assert read_manifest(folder).clips == read_manifest(path).clips


def test_times_are_read_with_their_texts(folder: Path) -> None:
    clip = read_one(folder, words=[["Guten", 0, 0.5]], segments=[[0.1, 2, "Guten Tag."]])
    assert clip.words == (TimedText("Guten", 0.0, 0.5),)
    assert clip.phrases == (TimedText("Guten Tag.", 0.1, 2.0),)


def test_coarse_times_are_not_measured_by(folder: Path) -> None:
    clip = read_one(folder, segments=[[0, 5, "Guten Tag."]], ref_timing="coarse (5 s grid)")
    assert (clip.words, clip.phrases) == (None, None)


def test_nobody_speaks_in_zxx_or_where_the_text_is_empty(folder: Path) -> None:
    clip = read_one(folder, lang="zxx", text="(music)")
    assert (clip.text, clip.language) == ("", None)
    assert read_one(folder, text="").text == ""


def test_what_is_excluded_comes_in_order_and_ends_with_the_reference(folder: Path) -> None:
    segments = [[0, 1, "Guten"], [1, 2, "Tag."]]
    clip = read_one(folder, exclude_from_wer=[[1, 2]], ref_end=8.25, segments=segments)
    assert clip.excluded == (Span(1.0, 2.0), Span(8.25, math.inf))
    assert [piece.text for piece in clip.pieces] == ["Guten", "Tag."]


def test_accents_are_stripped_by_the_line_or_for_the_whole_set(folder: Path) -> None:
    path = write(folder, {"strip_accents": True}, {})
    assert [clip.strip_accents for clip in read_manifest(path).clips] == [True, False]
    assert all(clip.strip_accents for clip in read_manifest(path, strip_accents=True).clips)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "1" * 5000,
        "[" * 100_000,
        '{"text": "a"}',
        '{"audio": "audio/a.flac"}',
        '{"audio": 3, "text": "a"}',
        '{"audio": "audio/a.flac", "text": "a", "lang": 7}',
        '{"audio": "audio/a.flac", "text": "a", "words": "b"}',
        '{"audio": "audio/a.flac", "text": "a", "words": [["b", 0]]}',
        '{"audio": "audio/a.flac", "text": "a", "words": [["b", 0, NaN]]}',
        '{"audio": "audio/a.flac", "text": "a", "words": [["b", 0, 1e999]]}',
        '{"audio": "audio/a.flac", "text": "a", "words": [["b", -1, 2]]}',
        '{"audio": "audio/a.flac", "text": "a", "segments": [["b", 0, 1]]}',
        '{"audio": "audio/a.flac", "text": "a", "exclude_from_wer": [[0, 1]]}',
        '{"audio": "audio/a.flac", "text": "a", "exclude_from_wer": [[0, 1, 2]], "segments": []}',
        '{"audio": "audio/a.flac", "text": "a", "ref_end": "b"}',
    ],
)
def test_a_bad_line_is_refused_with_its_number(folder: Path, line: str) -> None:
    path = write(folder, {})
    path.write_text(path.read_text(encoding="utf-8").strip() + "\n" + line, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"manifest\.jsonl: line 2 is not a clip") as caught:
        read_manifest(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00"])
def test_a_file_without_clips_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "manifest.jsonl"
    path.write_bytes(content)
    with pytest.raises(ManifestError):
        read_manifest(path)


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.jsonl: the manifest can't be read"):
        read_manifest(folder)
    with pytest.raises(MediaNotFoundError, match=r"b\.flac"):
        read_manifest(write(folder, {"audio": "audio/b.flac"}))


def test_a_nul_in_a_path_is_no_crash(folder: Path) -> None:
    with pytest.raises((ManifestError, MediaNotFoundError)):
        read_manifest(write(folder, {"audio": "a\0b"}))
