"""Damage that FFmpeg steps over without a word is told; what only looks like it is not."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from subvino.audio import SAMPLE_RATE
from subvino.errors import DamagedMediaError
from subvino.media import AudioStream, read_audio
from subvino.media.ogg import is_damaged
from tests.sounds import Samples, Track, beep_times, beeps, write_media

SOUND = beeps(range(1, 20), 20.0, 48_000)
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}


def read_all(path: Path) -> tuple[Samples, AudioStream]:
    with read_audio(path) as stream:
        samples = np.concatenate([block.samples for block in stream])
    return samples, stream


def told(path: Path) -> DamagedMediaError:
    error = read_all(path)[1].error()
    assert error is not None
    return error


def noise(n: int) -> bytes:
    return np.random.default_rng(5).bytes(n)


def overwrite(path: Path, at: int, data: bytes) -> Path:
    whole = path.read_bytes()
    assert 0 <= at < len(whole)
    path.write_bytes(whole[:at] + data + whole[at + len(data) :])
    return path


# --- Ogg


@pytest.mark.parametrize("codec", ["libopus", "flac"])
def test_a_spoilt_page_of_an_ogg_file_is_a_loss(tmp_path: Path, codec: str) -> None:
    path = write_media(tmp_path / "a.ogg", Track(SOUND, codec))
    overwrite(path, path.stat().st_size // 2, noise(8))
    samples, stream = read_all(path)
    error = stream.error()
    assert error is not None
    assert error.lost == pytest.approx(1.0, abs=0.2)
    assert beep_times(samples)[-1] == pytest.approx(19.0, abs=0.002)


def test_a_spoilt_last_page_of_an_ogg_file_is_told(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.ogg", Track(SOUND, "libopus"))
    overwrite(path, path.read_bytes().rindex(b"OggS") + 22, noise(2))
    assert "some of its sound is missing" in str(told(path))


def test_an_ogg_file_that_is_joined_of_two_is_whole_and_one_without_a_page_is_not(
    tmp_path: Path,
) -> None:
    data = write_media(tmp_path / "a.ogg", Track(SOUND, "libopus")).read_bytes()
    assert not is_damaged(io.BytesIO(data + data))
    assert not is_damaged(io.BytesIO(b"ID3" + noise(100) + data + noise(100)))
    pages = data.split(b"OggS")
    assert is_damaged(io.BytesIO(b"OggS".join([*pages[:6], *pages[7:]])))


def test_a_radio_recording_that_goes_on_from_its_headers_at_any_page_is_whole(
    tmp_path: Path,
) -> None:
    data = write_media(tmp_path / "a.ogg", Track(SOUND, "libopus")).read_bytes()
    pages = data.split(b"OggS")
    assert not is_damaged(io.BytesIO(b"OggS".join([*pages[:3], *pages[8:]])))


def test_a_part_of_an_ogg_file_with_other_channels_is_told_as_missing(tmp_path: Path) -> None:
    """FFmpeg can't go on where the number of channels changes."""
    parts = [
        write_media(tmp_path / f"{layout}.ogg", Track(SOUND, "libopus", layout=layout))
        for layout in ("stereo", "mono")
    ]
    path = tmp_path / "joined.ogg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert "some of its sound is missing" in str(told(path))


# --- Matroska


def spoilt_cluster(path: Path) -> Path:
    """A Matroska file of 20 s whose clusters are 5 s; the third one's header is noise."""
    data = path.read_bytes()
    at = -1
    for _ in range(3):
        at = data.index(b"\x1fC\xb6u", at + 1)
    return overwrite(path, at, noise(30))


@pytest.mark.parametrize("options", [{}, {"live": "1"}])
def test_a_spoilt_cluster_is_a_loss(tmp_path: Path, options: dict[str, str]) -> None:
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "libopus"), options=options)
    error = told(spoilt_cluster(path))
    assert error.lost is not None
    assert 0.5 < error.lost < 6.0


def test_a_spoilt_cluster_among_pictures_is_a_loss(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "aac"), video=20.0)
    assert told(spoilt_cluster(path)).lost


def test_a_pause_of_a_recorder_among_pictures_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    tracks = [Track(SOUND[: 48_000 * 4], "aac"), Track(SOUND[: 48_000 * 4], "aac", delay=10.0)]
    whole = write_media(tmp_path / "two.mkv", *tracks, video=16.0)
    with av.open(str(whole)) as source, av.open(str(path), "w") as sink:
        sinks = [
            sink.add_stream_from_template(source.streams.audio[0]),
            sink.add_stream_from_template(source.streams.video[0]),
        ]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = sinks[packet.stream.type == "video"]
                sink.mux(packet)
    _, stream = read_all(path)
    assert stream.gaps[0] == pytest.approx((4.0, 10.0), abs=0.05)
    assert stream.error() is None


# --- MP4


def test_a_fragmented_mp4_that_is_cut_anywhere_is_read_up_to_there_and_the_loss_told(
    tmp_path: Path,
) -> None:
    data = write_media(tmp_path / "a.mp4", Track(SOUND, "aac"), options=FRAGMENTS).read_bytes()
    first = data.index(b"moof", data.index(b"moof") + 4)
    last = data.rindex(b"mdat")
    path = tmp_path / "cut.mp4"
    for cut in range(first + 10, last, (last - first) // 40):
        path.write_bytes(data[:cut])
        samples, stream = read_all(path)
        assert stream.error() is not None, cut
        assert len(samples) / SAMPLE_RATE == pytest.approx(20 * cut / len(data), abs=1.5)


def test_fragments_behind_a_spoilt_one_are_told_as_missing(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Track(SOUND, "aac"), options=FRAGMENTS)
    data = path.read_bytes()
    at = -1
    for _ in range(8):
        at = data.index(b"moof", at + 1)
    assert told(overwrite(path, at - 4, noise(150)))


# --- other forms


def test_an_avi_whose_second_half_is_noise_is_told(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.avi", Track(SOUND, "libmp3lame"), video=20.0)
    size = path.stat().st_size
    error = told(overwrite(path, size // 2, noise(size - size // 2)))
    assert error.lost == pytest.approx(10.0, abs=3.0)


@pytest.mark.parametrize(("name", "codec"), [("a.aac", "aac"), ("a.mp3", "libmp3lame")])
def test_a_stretch_of_noise_between_bare_frames_is_a_loss(
    tmp_path: Path, name: str, codec: str
) -> None:
    options = {"write_xing": "0"} if codec == "libmp3lame" else {}
    path = write_media(tmp_path / name, Track(SOUND, codec), options=options)
    size = path.stat().st_size
    error = told(overwrite(path, size // 2, bytes(size // 5)))
    assert error.lost
    assert "sound is missing" in str(error)


def test_tags_between_and_behind_bare_frames_are_no_loss(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp3", Track(SOUND, "libmp3lame"), options={"write_xing": "0"})
    data = path.read_bytes()
    cover = b"ID3\x03\0\0" + bytes([0, 2, 0, 0]) + bytes(2 << 14)  # 7 bits in a byte
    path.write_bytes(data + cover + data + b"TAG" + bytes(125))
    _, stream = read_all(path)
    assert stream.lost < 0.1
    assert stream.error() is None


def test_a_flac_file_without_its_header_is_told(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.flac", Track(SOUND, "flac"))
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\xff\xf8") + 3000 :])
    assert "its header is missing" in str(told(path))


def test_a_transport_stream_that_ends_in_something_else_is_told(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.ts", Track(SOUND, "mp2"))
    path.write_bytes(path.read_bytes() + noise(20_000))
    assert told(path)


# --- time stamps


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_time_stamps_that_stand_still_cost_no_sound(tmp_path: Path, name: str) -> None:
    whole = write_media(tmp_path / f"whole_{name}", Track(SOUND, "aac"))
    path = tmp_path / name
    with av.open(str(whole)) as source, av.open(str(path), "w") as sink:
        stream = sink.add_stream_from_template(source.streams.audio[0])
        stream.time_base = Fraction(1, 48_000)
        last = 0
        for packet in source.demux(audio=0):
            if packet.dts is not None and packet.time_base:
                time = float(packet.dts * packet.time_base)
                last = round(time * 48_000) if time < 5 else last + 1
                packet.time_base = Fraction(1, 48_000)
                packet.dts = packet.pts = last
                packet.stream = stream
                sink.mux(packet)
    samples, _ = read_all(path)
    assert beep_times(samples) == pytest.approx(range(1, 20), abs=0.12)


def test_a_duration_that_no_file_can_have_is_not_waited_for(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "libopus"))
    at = path.read_bytes().index(b"D\x89\x88") + 3
    overwrite(path, at, struct.pack(">d", 1e15))
    samples, stream = read_all(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(20.0, abs=0.05)
    assert stream.error() is None


def test_each_of_hundreds_of_tracks_can_be_read(tmp_path: Path) -> None:
    n = 300
    silent = np.zeros(4_000, np.float32)
    tracks = [Track(silent, "pcm_u8", 8_000)] * (n - 1)
    path = write_media(
        tmp_path / "a.mkv", *tracks, Track(beeps([0.2], 0.5, 8_000), "pcm_u8", 8_000)
    )
    with read_audio(path, str(n - 1)) as stream:
        samples = np.concatenate([block.samples for block in stream])
    assert len(stream.info.audio) == n
    assert beep_times(samples) == pytest.approx([0.2], abs=0.002)
