from __future__ import annotations

import http.server
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from subvino.audio import SAMPLE_RATE
from subvino.errors import (
    AudioTrackError,
    DamagedMediaError,
    EmptyMediaError,
    EncryptedMediaError,
    InputError,
    MediaNotFoundError,
    NoAudioTrackError,
    NotMediaError,
)
from subvino.media import AudioStream, channel_weights, choose_audio_track, probe, read_audio
from tests.sounds import Samples, Track, beep_times, beeps, write_media

TIMES = (1.0, 3.0)
SOUND = beeps(TIMES, 5.0, 48_000)
LONG = beeps(range(1, 29), 30.0, 48_000)


def read_all(path: Path, track: str | None = None) -> tuple[Samples, AudioStream]:
    """All the samples of a file and the stream they came from; checks that it has no holes."""
    with read_audio(path, track) as stream:
        blocks = list(stream)
    position = 0.0
    for block in blocks:
        assert block.start == pytest.approx(position)
        position = block.end
    return np.concatenate([block.samples for block in blocks]), stream


def cut_off(path: Path, part: float) -> Path:
    """The beginning of a file, as a broken download leaves it."""
    data = path.read_bytes()
    cut = path.with_name(f"cut_{path.name}")
    cut.write_bytes(data[: int(len(data) * part)])
    return cut


# --- time


@pytest.mark.parametrize(
    ("name", "codec", "late"),
    [
        ("a.wav", "pcm_s16le", 0.0),
        ("u8.wav", "pcm_u8", 0.0),
        ("f64.wav", "pcm_f64le", 0.0),
        ("s64.wav", "pcm_s64le", 0.0),
        ("a.flac", "flac", 0.0),
        ("a.mov", "pcm_s16le", 0.0),
        ("a.mp3", "libmp3lame", 0.0),
        ("a.m4a", "aac", 0.0),
        ("a.mkv", "aac", 0.0),
        ("a.webm", "libopus", 0.0),
        ("a.opus", "libopus", 0.0),
        ("v.ogg", "vorbis", 0.0),
        ("ac3.mkv", "ac3", 0.0),
        # no way to say how much the encoder put in front: 1024 samples for AAC,
        # 481 for MP2, 1105 for LAME's MP3
        ("a.ts", "aac", 1024 / 48_000),
        ("a.aac", "aac", 1024 / 48_000),
        ("mp2.ts", "mp2", 481 / 48_000),
        ("a.avi", "libmp3lame", 1105 / 48_000),
    ],
)
def test_sound_stands_within_2_ms_of_where_it_was_put(
    tmp_path: Path, name: str, codec: str, late: float
) -> None:
    layout = "stereo" if codec == "vorbis" else "mono"  # all that FFmpeg's encoder can do
    path = write_media(tmp_path / name, Track(SOUND, codec, layout=layout))
    samples, stream = read_all(path)
    assert beep_times(samples) == pytest.approx([time + late for time in TIMES], abs=0.002)
    assert stream.lost == 0
    assert stream.error() is None


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
def test_resampling_moves_nothing_and_keeps_the_length(tmp_path: Path, rate: int) -> None:
    path = write_media(tmp_path / "a.wav", Track(beeps(TIMES, 5.0, rate), "pcm_s16le", rate))
    samples, _ = read_all(path)
    assert len(samples) == 5 * SAMPLE_RATE
    assert np.abs(samples - beeps(TIMES, 5.0)).mean() < 0.001


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_track_that_starts_late_keeps_its_delay(tmp_path: Path, name: str) -> None:
    track = Track(SOUND, "aac", delay=0.5)
    samples, stream = read_all(write_media(tmp_path / name, track, video=6.0))
    assert beep_times(samples) == pytest.approx([1.5, 3.5], abs=0.002)
    assert stream.track.start == pytest.approx(0.5, abs=0.03)
    assert stream.gaps == ()
    assert stream.lost == 0


@pytest.mark.parametrize(("name", "late"), [("a.ts", 481 / 48_000), ("a.mkv", 0.0)])
def test_a_container_that_begins_at_1_4_s_begins_at_0(
    tmp_path: Path, name: str, late: float
) -> None:
    path = write_media(tmp_path / name, Track(SOUND, "mp2"), video=5.0, offset=1.4)
    assert probe(path).start == pytest.approx(1.4, abs=0.02)
    samples, _ = read_all(path)
    assert beep_times(samples) == pytest.approx([time + late for time in TIMES], abs=0.002)


def test_an_edit_list_that_skips_the_beginning_is_followed(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mov", Track(SOUND, "pcm_s16le"))
    data = path.read_bytes()
    at = data.index(b"elst") + 8  # version, flags and count before the one entry
    count, duration, media_time = struct.unpack(">Iii", data[at : at + 12])
    assert (count, media_time) == (1, 0)
    edit = struct.pack(">Iii", 1, duration - 500, 24_000)  # ms of movie, samples of media
    path.write_bytes(data[:at] + edit + data[at + 12 :])
    samples, _ = read_all(path)
    assert beep_times(samples) == pytest.approx([0.5, 2.5], abs=0.002)


def test_a_gap_in_the_stamps_is_silence_of_its_length(tmp_path: Path) -> None:
    path = gapped(tmp_path / "gap.mkv", [(0.0, 2.0), (10.0, 2.0)])
    samples, stream = read_all(path)
    assert beep_times(samples) == pytest.approx([1.0, 11.0], abs=0.002)
    assert stream.gaps[0] == pytest.approx((2.0, 10.0), abs=0.002)
    assert stream.lost == 0


def test_a_gap_of_hours_is_given_out_block_by_block(tmp_path: Path) -> None:
    path = gapped(tmp_path / "gap.mkv", [(0.0, 2.0), (7200.0, 2.0)])
    tracemalloc.start()
    with read_audio(path) as stream:
        end = max(block.end for block in stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert end == pytest.approx(7202.0, abs=0.01)
    assert peak < 20e6  # two hours are 460 MB


def test_overlapping_stamps_are_cut_so_that_the_rest_stands_right(tmp_path: Path) -> None:
    track = Track(beeps([1.0], 2.0, 48_000), "mp2")
    parts = [
        write_media(tmp_path / f"{offset}.ts", track, offset=offset).read_bytes()
        for offset in (1.0, 2.5)
    ]
    path = tmp_path / "lap.ts"
    path.write_bytes(b"".join(parts))
    samples, _ = read_all(path)
    assert beep_times(samples) == pytest.approx([1.010, 2.510], abs=0.002)
    assert len(samples) == pytest.approx(3.516 * SAMPLE_RATE, abs=32)


def gapped(path: Path, pieces: list[tuple[float, float]]) -> Path:
    """PCM in Matroska: pieces of (start, duration) with a beep one second into each."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for start, duration in pieces:
            sound = (beeps([1.0], duration) * 32767).astype(np.int16)
            for first in range(0, len(sound), 320):
                frame = av.AudioFrame.from_ndarray(
                    sound[np.newaxis, first : first + 320], "s16", "mono"
                )
                frame.sample_rate, frame.pts = 16_000, round(start * 16_000) + first
                container.mux(stream.encode(frame))
    return path


def test_joined_transport_streams_follow_each_other(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.ts", Track(SOUND, "mp2"))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(path.read_bytes() * 2)
    samples, stream = read_all(joined)
    assert beep_times(samples) == pytest.approx([1.010, 3.010, 6.026, 8.026], abs=0.003)
    assert stream.damage == ("time stamps that jump",)
    assert stream.error() is None


def test_the_sample_rate_and_the_channels_may_change_in_mid_stream(tmp_path: Path) -> None:
    parts = [
        write_media(tmp_path / "1.aac", Track(beeps([1.0], 3.0, 48_000), "aac", 48_000, "stereo")),
        write_media(tmp_path / "2.aac", Track(beeps([1.0], 3.0, 22_050), "aac", 22_050, "mono")),
    ]
    joined = tmp_path / "joined.aac"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    samples, _ = read_all(joined)
    first = 142 * 1024 / 48_000  # frames of the first part
    wanted = [1.0 + 1024 / 48_000, first + 1.0 + 1024 / 22_050]
    assert beep_times(samples) == pytest.approx(wanted, abs=0.003)


# --- level


def test_samples_keep_their_level_in_every_format(tmp_path: Path) -> None:
    for codec in ("pcm_u8", "pcm_s16le", "pcm_s32le", "pcm_s64le", "pcm_f32le", "pcm_f64le"):
        path = write_media(tmp_path / f"{codec}.wav", Track(SOUND, codec, layout="stereo"))
        samples, _ = read_all(path)
        assert np.abs(samples).max() == pytest.approx(0.5, abs=0.02), codec


def test_a_codec_that_has_a_number_for_a_name_is_read(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.avi", Track(SOUND, "aac"))
    samples, stream = read_all(path)
    assert beep_times(samples) == pytest.approx(TIMES, abs=0.05)
    assert stream.error() is None


def test_the_mix_of_a_film_is_ffmpegs_own(tmp_path: Path) -> None:
    """FFmpeg's matrix for integer output, which is normalised, is the reference."""
    rng = np.random.default_rng(7)
    planes = rng.uniform(-1, 1, (6, 16_000)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(planes, "fltp", "5.1")
    frame.sample_rate = 16_000
    reference = av.AudioResampler("s16", "mono", 16_000).resample(frame)[0].to_ndarray()[0]
    names = [channel.name for channel in frame.layout.channels]
    assert np.abs(channel_weights(names) @ planes - reference / 32768).max() < 2e-4


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.flac", "flac")])
def test_eight_channels_are_mixed_like_two(tmp_path: Path, name: str, codec: str) -> None:
    """PyAV crashes when it is asked for eight planes."""
    samples, _ = read_all(write_media(tmp_path / name, Track(SOUND, codec, layout="7.1")))
    assert beep_times(samples) == pytest.approx(TIMES, abs=0.002)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_full_scale_on_all_channels_does_not_clip() -> None:
    for names in (["FL", "FR"], ["FL", "FR", "FC", "LFE", "SL", "SR"], ["NONE"] * 5, ["LFE"]):
        weights = channel_weights(names)
        assert weights.sum() == pytest.approx(1.0)
        assert weights.min() >= 0


def test_channels_that_cancel_each_other_out_are_still_heard(tmp_path: Path) -> None:
    path = tmp_path / "wired.wav"
    sound = (SOUND * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(np.stack([sound, -sound], axis=1).tobytes())
    samples, _ = read_all(path)
    assert beep_times(samples) == pytest.approx(TIMES, abs=0.002)


def test_values_that_are_no_numbers_come_out_as_silence_and_overshoot_clipped(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.wav"
    write_media(path, Track(SOUND, "pcm_f32le"))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 8
    data[at + 4 : at + 12] = struct.pack("<ff", float("nan"), float("inf"))
    data[at + 400_000 : at + 400_400] = struct.pack("<f", 1e30) * 100
    path.write_bytes(data)
    samples, _ = read_all(path)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1.0


# --- what is in the file


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three audio tracks, the second one the default."""
    return write_media(
        tmp_path_factory.mktemp("film") / "film.mkv",
        Track(beeps([1.0], 3.0, 48_000), "aac", metadata={"language": "ger", "title": "Ton"}),
        Track(beeps([2.0], 3.0, 48_000), "ac3", metadata={"language": "eng"}, default=True),
        Track(beeps([0.5], 3.0, 48_000), "aac", layout="stereo", metadata={"language": "und"}),
        video=3.0,
    )


def test_probe_tells_what_is_there(film: Path) -> None:
    info = probe(film)
    assert info.container == "matroska,webm"
    assert info.duration == pytest.approx(3.0, abs=0.05)
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.frame_rate) == (64, 48, 25.0)
    assert [track.language for track in info.audio] == ["de", "en", None]
    assert [track.codec for track in info.audio] == ["aac", "ac3", "aac"]
    assert [track.channels for track in info.audio] == [1, 1, 2]
    assert [track.is_default for track in info.audio] == [False, True, False]
    assert info.audio[0].title == "Ton"


def test_tags_that_are_no_utf_8_do_no_harm(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", Track(SOUND, "aac", metadata={"title": "QQtitleQQ"}))
    path.write_bytes(path.read_bytes().replace(b"QQtitleQQ", b"\xc4\xd6title\xff\xfe"))
    title = probe(path).audio[0].title
    assert title == "??title??"


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 1), ("0", 0), ("2", 2), ("de", 0), ("deu", 0), ("ger", 0), ("en-GB", 1), ("ENG", 1)],
)
def test_a_track_is_chosen_by_index_or_language(film: Path, wanted: str, index: int) -> None:
    assert choose_audio_track(probe(film), wanted).index == index


def test_the_track_chosen_is_the_one_read(film: Path) -> None:
    times = [beep_times(read_all(film, track)[0])[0] for track in ("0", "1", "2")]
    assert times == pytest.approx([1.0, 2.0, 0.5], abs=0.003)


@pytest.mark.parametrize("wanted", ["3", "fr", "", "-1", "commentary"])
def test_a_track_that_is_not_there_is_refused_with_those_that_are(film: Path, wanted: str) -> None:
    with pytest.raises(AudioTrackError, match="de, Ton, aac"):
        read_audio(film, wanted)


# --- damage


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.wav", "pcm_s16le", {}),
        ("a.flac", "flac", {}),
        ("a.mp3", "libmp3lame", {}),
        ("a.mkv", "aac", {}),
        ("a.webm", "libopus", {}),
        ("a.avi", "libmp3lame", {}),
        ("a.mp4", "aac", {"movflags": "faststart"}),
    ],
)
def test_a_truncated_file_is_read_as_far_as_it_goes_and_the_loss_is_told(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    whole = write_media(tmp_path / name, Track(LONG, codec), options=options)
    samples, stream = read_all(cut_off(whole, 0.6))
    seconds = len(samples) / SAMPLE_RATE
    assert 8 < seconds < 25
    assert stream.lost == pytest.approx(30 - seconds, rel=0.2 if name == "a.avi" else 0.01)
    error = stream.error()
    assert isinstance(error, DamagedMediaError)
    assert error.lost == stream.lost
    assert "breaks off after" in str(error)


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "mp2"), ("a.ogg", "libopus")])
def test_a_truncated_file_that_never_knew_its_length_is_read_as_far_as_it_goes(
    tmp_path: Path, name: str, codec: str
) -> None:
    samples, _ = read_all(cut_off(write_media(tmp_path / name, Track(LONG, codec)), 0.6))
    assert 8 < len(samples) / SAMPLE_RATE < 25


def test_a_truncated_mp4_without_its_index_is_called_damaged(tmp_path: Path) -> None:
    path = cut_off(write_media(tmp_path / "a.mp4", Track(SOUND, "aac"), video=5.0), 0.6)
    with pytest.raises(DamagedMediaError, match="MP4 file whose header or index"):
        read_audio(path)


@pytest.mark.parametrize("fill", [b"\xff", b"\x55", b"\0"])
def test_packets_that_are_spoilt_are_told_and_leave_the_rest_in_its_place(
    tmp_path: Path, fill: bytes
) -> None:
    path = write_media(tmp_path / "a.mp4", Track(beeps([1.0, 8.0], 10.0, 48_000), "aac"))
    with av.open(str(path)) as container:
        hit = [p for p in container.demux(audio=0) if p.pts is not None and 2e5 < p.pts < 2.5e5]
        spans = [(p.pos or 0, p.size) for p in hit]
    data = bytearray(path.read_bytes())
    for position, size in spans:
        data[position : position + size] = fill * size
    path.write_bytes(data)
    samples, stream = read_all(path)
    assert beep_times(samples)[-1] == pytest.approx(8.0, abs=0.002)
    assert stream.lost == pytest.approx(len(spans) * 1024 / 48_000, abs=0.05)
    assert f"{len(spans)} times: sound that can't be decoded, first at 4." in stream.damage[0]
    assert stream.error() is not None


def test_no_mutation_of_a_file_makes_anything_but_our_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    for name, codec in (
        ("a.mkv", "aac"),
        ("a.mp4", "aac"),
        ("a.ts", "mp2"),
        ("a.wav", "pcm_s16le"),
    ):
        whole = write_media(tmp_path / name, Track(SOUND, codec)).read_bytes()
        for _ in range(12):
            data = bytearray(whole)
            for position in rng.integers(0, len(data), 30):
                data[position] ^= 1 << int(rng.integers(8))
            path = tmp_path / f"mutated_{name}"
            path.write_bytes(data)
            try:
                samples, _ = read_all(path)
            except InputError:
                continue
            assert np.isfinite(samples).all()


# --- inputs that are no use


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", b"hello world\n" * 500),
        ("notes.mp4", b"hello world\n" * 500),
        ("noise.bin", np.random.default_rng(0).bytes(100_000)),
        ("noise.mp4", np.random.default_rng(1).bytes(100_000)),
        ("zeros.mkv", bytes(100_000)),
        ("page.html", b"<html><body>404</body></html>"),
    ],
)
def test_what_is_not_media_is_called_so(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(NotMediaError, match="not a media file"):
        read_audio(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for path in (tmp_path / "none.mp4", tmp_path / "file" / "a.mp4", Path("a\0b.mp4")):
        with pytest.raises(MediaNotFoundError):
            read_audio(path)


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotMediaError, match="a folder"):
        read_audio(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(NotMediaError, match="not a regular file"):
            read_audio(tmp_path / "pipe")


def test_a_file_without_a_byte_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    with pytest.raises(EmptyMediaError, match="the file is empty"):
        read_audio(path)


def test_a_track_without_a_sample_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"")
    with pytest.raises(EmptyMediaError, match="holds no sound"):
        read_all(path)


def test_a_film_without_sound_names_the_tracks_it_has(tmp_path: Path) -> None:
    path = write_media(tmp_path / "silent.mp4", video=1.0)
    with pytest.raises(NoAudioTrackError, match=r"tracks found: video mpeg4"):
        read_audio(path)


def test_a_picture_has_no_audio_track(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    codec = av.VideoCodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt = 16, 16, "rgb24"
    codec.time_base = Fraction(1, 25)
    picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
    path.write_bytes(
        b"".join(bytes(packet) for packet in [*codec.encode(picture), *codec.encode()])
    )
    with pytest.raises(NoAudioTrackError, match="video png"):
        read_audio(path)


def test_encrypted_sound_is_recognized(tmp_path: Path) -> None:
    cenc = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "00112233445566778899aabbccddee00",
    }
    path = write_media(tmp_path / "cenc.mp4", Track(SOUND, "aac"), options=cenc)
    with pytest.raises(EncryptedMediaError):
        read_all(path)


@pytest.mark.parametrize("entry", [b"enca", b"drms", b"aavd"])
def test_protected_sample_entries_are_recognized(tmp_path: Path, entry: bytes) -> None:
    path = write_media(tmp_path / "a.m4a", Track(SOUND, "aac"))
    path.write_bytes(path.read_bytes().replace(b"mp4a", entry, 1))
    with pytest.raises(EncryptedMediaError):
        read_audio(path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_file_that_may_not_be_read_is_told_from_a_missing_one(tmp_path: Path) -> None:
    """In a process that has given up root, for root may read everything."""
    path = tmp_path / "a.wav"
    write_media(path, Track(SOUND, "pcm_s16le"))
    path.chmod(0)
    code = (
        "import os, sys\n"
        "from subvino.errors import MediaPermissionError\n"
        "from subvino.media import read_audio\n"
        "import av, subvino.timeline\n"
        "folder = os.open(sys.argv[1], os.O_RDONLY); os.fchdir(folder)\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: read_audio('a.wav')\n"
        "except MediaPermissionError as error: print(error)\n"
    )
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "a.wav: may not be read; check its permissions\n", done.stderr


# --- hostile files

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"


@pytest.fixture
def requests() -> Iterator[tuple[str, list[str]]]:
    """The address of a local server and the list of what was asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_playlist_reaches_neither_files_nor_the_network(
    tmp_path: Path, requests: tuple[str, list[str]]
) -> None:
    address, asked = requests
    secret = write_media(tmp_path / "secret.ts", Track(SOUND, "mp2"))
    scripts = {
        "file.m3u8": HLS.format(secret),
        "net.m3u8": HLS.format(f"{address}/a.ts"),
        "net.mp4": HLS.format(f"{address}/a.ts"),
        "concat.mp4": f"ffconcat version 1.0\nfile {secret.name}\n",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(NotMediaError):
            read_audio(tmp_path / name)
    assert asked == []


def test_the_playlists_above_are_ones_that_ffmpeg_would_follow(
    tmp_path: Path, requests: tuple[str, list[str]]
) -> None:
    """Without this the test above could not fail."""
    address, asked = requests
    write_media(tmp_path / "secret.ts", Track(SOUND, "mp2"))
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile secret.ts\n")
    with av.open(str(tmp_path / "concat.mp4")) as container:
        assert container.streams.audio
    (tmp_path / "net.m3u8").write_text(HLS.format(f"{address}/a.ts"))
    with pytest.raises(av.error.FFmpegError):
        av.open(str(tmp_path / "net.m3u8"), options={"protocol_whitelist": "file,http,tcp"})
    assert "/a.ts" in asked


@pytest.mark.parametrize("name", ["http:/x.wav", "concat:a.wav|b.wav", "pipe:0", "-", "%03d.wav"])
def test_names_that_look_like_protocols_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if sys.platform == "win32":
        pytest.skip("no such names there")
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    write_media(tmp_path / "plain.wav", Track(SOUND, "pcm_s16le")).rename(path)
    assert beep_times(read_all(path)[0]) == pytest.approx(TIMES, abs=0.002)


# --- streaming


def test_a_long_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    minute = (beeps([1.0], 60.0) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for _ in range(30):
            file.writeframes(minute)
    tracemalloc.start()
    with read_audio(path, block=10.0) as stream:
        lengths = [len(block.samples) for block in stream]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lengths == [10 * SAMPLE_RATE] * 180
    assert peak < 10e6  # all of it would be 115 MB


def test_the_file_is_closed_when_reading_stops_early(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.wav", Track(LONG, "pcm_s16le"))
    with read_audio(path, block=5.0) as stream:
        assert next(iter(stream)).duration == 5.0
    path.unlink()  # Windows would refuse if it were open; a warning would be an error here


def test_importing_media_does_not_load_ffmpeg() -> None:
    code = "import sys, subvino.media; print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
