from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.containers import (
    container_signature,
    declared_size,
    has_sample_count,
    is_broken_off,
    whole_boxes,
)
from tests.sounds import Track, beeps, write_media

TRACK = beeps([0.5], 2.0, 48_000)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.avi", "libmp3lame"), ("a.mkv", "aac"), ("a.webm", "libopus")],
)
def test_a_whole_file_declares_its_own_size(tmp_path: Path, name: str, codec: str) -> None:
    data = write_media(tmp_path / name, Track(TRACK, codec)).read_bytes()
    assert declared_size(data[: 1 << 16]) == len(data)


def test_files_that_do_not_know_their_size_say_so(tmp_path: Path) -> None:
    live = write_media(tmp_path / "live.mkv", Track(TRACK, "aac"), options={"live": "1"})
    assert declared_size(live.read_bytes()) is None
    assert declared_size(b"RIFF\xff\xff\xff\xffWAVE") is None
    assert declared_size(b"OggS") is None


@given(st.binary(max_size=64), st.sampled_from([b"", b"RIFF", b"\x1aE\xdf\xa3", b"ID3", b"fLaC"]))
def test_no_bytes_make_it_fail(data: bytes, start: bytes) -> None:
    head = start + data
    assert (declared_size(head) or 0) >= 0
    assert has_sample_count(head) in (True, False)
    assert bool(container_signature(head)) >= bool(start)


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mp3", "libmp3lame")])
def test_sample_counts_are_seen(tmp_path: Path, name: str, codec: str) -> None:
    data = write_media(tmp_path / name, Track(TRACK, codec)).read_bytes()
    assert has_sample_count(data)


def test_an_mp3_without_its_info_frame_has_no_sample_count(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp3", Track(TRACK, "libmp3lame"), options={"write_xing": "0"})
    assert not has_sample_count(path.read_bytes())


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mp4", "aac", FRAGMENTS), ("a.ogg", "libopus", {}), ("f.ogg", "flac", {})],
)
def test_files_that_break_off_are_told_from_whole_ones(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    data = write_media(tmp_path / name, Track(TRACK, codec), options=options).read_bytes()
    assert not is_broken_off(io.BytesIO(data))
    for cut in range(len(data) // 4, len(data) * 3 // 4, 97):
        assert is_broken_off(io.BytesIO(data[:cut])), cut


def test_the_whole_part_of_a_fragmented_file_ends_before_the_index_that_is_cut(
    tmp_path: Path,
) -> None:
    path = write_media(tmp_path / "a.mp4", Track(TRACK, "aac"), options=FRAGMENTS)
    data = path.read_bytes()
    second = data.index(b"moof", data.index(b"moof") + 4) - 4
    assert whole_boxes(io.BytesIO(data[: second + 20])) == second
    assert whole_boxes(io.BytesIO(data[:second])) is None
    assert whole_boxes(io.BytesIO(data)) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b"OggS", b"\0\0\0\x08ftyp", b"\0\0\0\1moof"]))
def test_no_structure_makes_it_fail(data: bytes, start: bytes) -> None:
    assert is_broken_off(io.BytesIO(start + data)) in (True, False)
    assert (whole_boxes(io.BytesIO(start + data)) or 0) >= 0
