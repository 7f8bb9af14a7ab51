"""Damage that FFmpeg steps over without a word is told; what only looks like it is not."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from subvino.audio import SAMPLE_RATE
from subvino.errors import DamagedMediaError, NotMediaError
from subvino.media import AudioStream, read_audio
from subvino.media.ogg import is_damaged
from tests.media.fuzzing.mutations import ogg_checksum
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


def test_pages_with_wrong_positions_cost_no_sound_and_are_noted(tmp_path: Path) -> None:
    """From some page on they count half a second too little, as if the sound came again."""
    path = write_media(tmp_path / "a.ogg", Track(SOUND, "libopus"))
    path.write_bytes(early_pages(path.read_bytes(), 0.5))
    samples, stream = read_all(path)
    assert beep_times(samples) == pytest.approx(range(1, 20), abs=0.002)
    assert stream.error() is None
    assert "time stamps that jump" in str(stream.damage)


def early_pages(data: bytes, seconds: float) -> bytes:
    """The pages from the middle on with positions so much lower, and checksums that are right."""
    pages = [b"OggS" + page for page in data.split(b"OggS")[1:]]
    for index in range(len(pages) // 2, len(pages)):
        page = bytearray(pages[index])
        (position,) = struct.unpack_from("<q", page, 6)
        struct.pack_into("<q", page, 6, position - round(seconds * 48_000))
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
        pages[index] = bytes(page)
    return b"".join(pages)


def test_a_song_of_less_than_a_second_before_another_one_is_heard_whole(tmp_path: Path) -> None:
    parts = [
        write_media(tmp_path / f"{seconds}.ogg", Track(beeps([0.2], seconds, 48_000), "libopus"))
        for seconds in (0.8, 5.0)
    ]
    path = tmp_path / "joined.ogg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    samples, stream = read_all(path)
    assert beep_times(samples) == pytest.approx([0.2, 1.0], abs=0.02)
    assert stream.error() is None


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


def test_a_spoilt_first_cluster_is_told_though_the_rest_then_begins_at_0(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "libopus"))
    error = told(overwrite(path, path.read_bytes().index(b"\x1fC\xb6u"), b"\x1fC\xb6\x35"))
    assert "damaged before its sound" in str(error)


def test_blocks_behind_the_one_that_ended_the_reading_are_told(tmp_path: Path) -> None:
    """FFmpeg leaves a cluster at a block of a track that it doesn't know."""
    path = write_media(tmp_path / "a.mkv", Track(SOUND[: 48_000 * 4], "flac"))
    with av.open(str(path)) as source:
        block = next(islice(source.demux(audio=0), 20, None)).pos
    assert block is not None
    assert "damaged after" in str(told(overwrite(path, block, b"\x7f\xff")))


def test_a_duration_that_is_reached_by_a_gap_hides_no_damage(tmp_path: Path) -> None:
    """The last cluster stands where the second one ought to be, and the rest is lost."""
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "libopus"))
    data = path.read_bytes()
    clusters = [at for at in range(len(data)) if data.startswith(b"\x1fC\xb6u", at)]
    end = data.rindex(b"\x1cS\xbbk")
    early = data[: clusters[1]] + data[clusters[-1] : end]
    path.write_bytes(early + noise(len(data) - len(early)))
    samples, stream = read_all(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(20.0, abs=0.1)
    assert stream.error() is not None


def test_sound_that_sets_in_late_and_ends_early_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write_media(path, Track(SOUND[: 48_000 * 4], "aac", delay=5.0), video=20.0)
    _, stream = read_all(path)
    assert stream.error() is None
    assert not stream.damage


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


def find_nth(data: bytes, name: bytes, n: int) -> int:
    """The offset of the nth time that a box's name comes."""
    at = -1
    for _ in range(n):
        at = data.index(name, at + 1)
    return at


def test_fragments_behind_a_spoilt_one_are_told_as_missing(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Track(SOUND, "aac"), options=FRAGMENTS)
    at = find_nth(path.read_bytes(), b"moof", 8)
    assert told(overwrite(path, at - 4, noise(150)))


def test_a_fragment_that_lost_the_name_of_its_track_is_a_loss(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Track(SOUND, "aac"), options=FRAGMENTS)
    data = path.read_bytes()
    at = find_nth(data, b"tfhd", 8)
    (size,) = struct.unpack_from(">I", data, at - 12)
    error = told(overwrite(path, at - 4, struct.pack(">I", size - 8) + b"lost"))
    assert error.lost == pytest.approx(1.0, abs=0.1)


def test_an_index_that_lists_more_than_its_header_gives_out_is_a_loss(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mov", Track(SOUND, "pcm_s16le"))
    header = path.read_bytes().index(b"mdhd") + 4 + 16
    overwrite(path, header, struct.pack(">I", 5 * 48_000))
    edits = path.read_bytes().index(b"elst") + 4 + 8
    error = told(overwrite(path, edits, struct.pack(">I", 5_000)))
    assert error.lost == pytest.approx(15.0, abs=0.1)
    assert "its index lists 20.0 s" in str(error)


def test_an_edit_list_that_shows_a_part_is_no_loss(tmp_path: Path) -> None:
    """A phone that trims a recording leaves all of it in the file."""
    path = write_media(tmp_path / "a.mov", Track(SOUND, "pcm_s16le"))
    edits = path.read_bytes().index(b"elst") + 4 + 8
    samples, stream = read_all(overwrite(path, edits, struct.pack(">I", 5_000)))
    assert len(samples) / SAMPLE_RATE == pytest.approx(5.0, abs=0.1)
    assert stream.error() is None


# --- WAV


def wav(path: Path) -> Path:
    """20 s in blocks of a byte, so that an odd size is possible."""
    return write_media(path, Track(beeps(range(1, 20), 20.0, 8_000)[:-1], "pcm_u8", 8_000))


@pytest.mark.parametrize(
    "behind", [b"\x90\x80\x70" * 5_000, b"RIFF\x24\x10\0\0WAVE" + bytes(9_000)]
)
def test_more_behind_the_end_that_a_wav_declares_is_told(tmp_path: Path, behind: bytes) -> None:
    path = wav(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes() + behind)
    assert "the file is damaged after 20.0 s" in str(told(path))


def test_a_size_that_a_recorder_never_wrote_anew_is_told(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    at = path.read_bytes().index(b"data") + 4
    overwrite(path, at, struct.pack("<I", 5 * 8_000))
    assert "the file is damaged after 5.0 s" in str(told(path))


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 9_000) + noise(9_000),
        b"\0LIST" + struct.pack("<I", 9_000) + noise(9_000),
        b"\0id3 " + struct.pack("<I", 9_001) + noise(9_001) + b"\0_PMX\4\0\0\0" + noise(4),
        b"\0ID3\3\0\0" + bytes([0, 0, 70, 0]) + noise(70 << 7),
        b"TAG" + noise(125),
        bytes(10_000),
        noise(100),
    ],
)
def test_chunks_tags_and_padding_behind_the_sound_of_a_wav_are_no_loss(
    tmp_path: Path, behind: bytes
) -> None:
    path = wav(tmp_path / "a.wav")
    data = path.read_bytes().removesuffix(b"\0")
    path.write_bytes(data + behind)
    _, stream = read_all(path)
    assert stream.error() is None


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_samples_without_a_header_are_no_other_format(tmp_path: Path, rate: int) -> None:
    """FFmpeg takes 16-bit samples for the ADPCM of a game console."""
    speech = (np.sin(np.arange(rate * 5) * 0.05) * 9_000).astype("<i2")
    path = tmp_path / "a.wav"
    path.write_bytes(np.repeat(speech, 2).tobytes())
    with pytest.raises(NotMediaError):
        read_audio(path)


# --- other forms


def test_an_avi_whose_last_chunks_of_samples_are_noise_is_told(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.avi", Track(SOUND, "pcm_s16le"), video=20.0)
    size = path.stat().st_size
    error = told(overwrite(path, size // 2, noise(size - size // 2)))
    assert error.lost == pytest.approx(10.0, abs=3.0)


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
