from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from subvino.errors import CalibrationError, ManifestError
from subvino.evaluate import read_manifest
from subvino.media import read_audio
from subvino.quantize.speech import checking_sets, find_speech, shipped
from tests.quantize.conftest import SPEECH, ignore

ALL = ("en", "de", "nl", "it", "ru")


def test_the_clips_shipped_are_few_and_small_and_their_makers_are_named() -> None:
    folder = shipped("calibrate").parent
    files = list(folder.iterdir())
    assert 1_000_000 < sum(path.stat().st_size for path in files) < 2_000_000
    told = (folder / "ATTRIBUTION.md").read_text(encoding="utf-8")
    clips = [path for path in files if path.suffix == ".opus"]
    for path in clips:
        prefix = re.match(r"[a-z]+_[a-z]*|p\d|\d+-", path.name)
        assert prefix, path.name
    for licence in ("by/4.0", "by/3.0", "zero/1.0"):
        assert "https://creativecommons.org/" in told
        assert licence in told


def test_no_clip_is_both_calibrated_with_and_checked_on() -> None:
    sets = [read_manifest(shipped(purpose)).clips for purpose in ("calibrate", "evaluate")]
    names = [{clip.audio.name for clip in clips} for clips in sets]
    assert not names[0] & names[1]
    found = {path.name for path in shipped("evaluate").parent.glob("*.opus")}
    assert names[0] | names[1] == found


def test_a_clip_shipped_is_heard_whole() -> None:
    clip = next(c for c in read_manifest(shipped("evaluate")).clips if c.id == "p225_003")
    with read_audio(clip.audio) as blocks:
        samples = sum(len(block.samples) for block in blocks)
    # The original has 6.01 s.
    assert samples / 16_000 == pytest.approx(6.01, abs=0.05)


def test_a_model_of_one_language_gets_clips_of_that_language_only(tmp_path: Path) -> None:
    every = find_speech(None, ALL, 10, tmp_path, ignore)
    english = find_speech(None, ("en",), 10, tmp_path, ignore)
    assert len(english.files) == 12
    assert len(every.files) == 34
    (checked,) = checking_sets((), ("nl",))
    assert {clip.language for clip in checked.clips} == {"nl"}
    assert all(clip.words for clip in checked.clips)


def test_a_folder_gives_its_media_files_whatever_lies_about(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.mp3", "sub/a.WAV", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    found = find_speech(str(tmp_path), ALL, 10, tmp_path, ignore)
    assert [path.name for path in found.files] == ["b.mp3", "a.WAV"]


def test_the_digest_follows_the_files_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"1")
    first = find_speech(str(tmp_path), ALL, 10, tmp_path, ignore).digest()
    assert find_speech(str(tmp_path), ALL, 10, tmp_path, ignore).digest() == first
    (tmp_path / "a.wav").write_bytes(b"2")
    assert find_speech(str(tmp_path), ALL, 10, tmp_path, ignore).digest() != first


def test_what_is_no_speech_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for data, message in (
        (str(tmp_path / "empty"), "no sound or video files"),
        ("nowhere at all", "no such folder or manifest"),
    ):
        with pytest.raises(CalibrationError, match=message):
            find_speech(data, ALL, 10, tmp_path, ignore)
    manifest = tmp_path / "de.jsonl"
    row = {"audio": str(SPEECH / "de_rhasspy-0219.flac"), "text": "Dampf", "lang": "de"}
    manifest.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(CalibrationError, match="no clip in a language"):
        find_speech(str(manifest), ("en",), 10, tmp_path, ignore)
    with pytest.raises(ManifestError, match="no clip in a language"):
        checking_sets((manifest,), ("en",))
