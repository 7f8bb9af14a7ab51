from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from subvino.errors import (
    InputError,
    MediaNotFoundError,
    OptionError,
    OutputError,
    OutputExistsError,
)
from subvino.formats import write
from subvino.subtitles import Cue, Subtitles
from subvino.video import SubtitleTrack, mux, read_track
from tests.video.videos import (
    CUES,
    SHAPES,
    cues_of,
    packets_of,
    run_ffmpeg,
    track,
    write_video,
)

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")


def plain(text: str) -> str:
    """Without the invisible joiners that keep a text from being taken for markup."""
    return text.replace("\u2060", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_packets_of_picture_and_sound_are_copied_bit_by_bit(
    videos: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    made = mux(videos[suffix], [track()], tmp_path / f"out{suffix}")
    assert made.notes == ()
    before, after = packets_of(videos[suffix]), packets_of(made.path)
    assert [len(stream) for stream in before] == [len(stream) for stream in after]
    assert len(before) == 2
    assert before == after


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cues_come_back_with_their_times_text_language_title_and_flag(
    videos: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    tracks = [track("de", "Deutsch, für alle: 'x'"), track("yue"), track("")]
    made = mux(videos[suffix], tracks, tmp_path / f"out{suffix}")
    with av.open(str(made.path)) as container:
        streams = container.streams.subtitles
        wanted = ["ger" if suffix == ".mov" else "deu", "yue", "und"]
        if suffix == ".mov":  # QuickTime has no code for Cantonese
            wanted[1] = "und"
        assert [stream.metadata.get("language", "und") for stream in streams] == wanted
        names = {"title", "name", "handler_name"} & set(streams[0].metadata)
        assert {streams[0].metadata[name] for name in names} == {"Deutsch, für alle: 'x'"}
        default = [bool(stream.disposition & stream.disposition.default) for stream in streams]
        assert default == [True, False, False]
    for number in range(3):
        rows = cues_of(made.path, number)
        assert [plain(text) for _, _, text in rows] == [cue.text for cue in CUES]
        for (begin, end, _), cue in zip(rows, CUES, strict=True):
            assert begin == pytest.approx(cue.start_ms / 1000, abs=0.001)
            assert end == pytest.approx(cue.end_ms / 1000, abs=0.001)


def test_an_ass_file_keeps_its_styles_in_matroska(videos: dict[str, Path], tmp_path: Path) -> None:
    script = write(track().subtitles, "ass").replace("Default,Arial,60", "Default,Papyrus,77")
    (tmp_path / "talk.fr.ass").write_text(script, encoding="utf-16")
    found, notes = read_track(tmp_path / "talk.fr.ass")
    assert notes == ()
    made = mux(videos[".mp4"], [found], tmp_path / "out.mkv")
    with av.open(str(made.path)) as container:
        stream = container.streams.subtitles[0]
        assert stream.codec_context.name == "ass" or stream.codec_context.name == "ssa"
        assert b"Papyrus,77" in (stream.codec_context.extradata or b"")
        assert stream.metadata["language"] == "fra"


def test_tracks_chapters_and_attachments_that_were_there_stay(tmp_path: Path) -> None:
    old, font = tmp_path / "old.mkv", tmp_path / "a.ttf"
    font.write_bytes(b"font" * 100)
    (tmp_path / "old.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nold\n")
    chapters = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
    (tmp_path / "chapters.txt").write_text(chapters)
    run_ffmpeg(
        *("-i", write_video(tmp_path / "plain.mkv"), "-i", tmp_path / "old.srt"),
        *("-i", tmp_path / "chapters.txt", "-map", "0", "-map", "1", "-map_metadata", "2"),
        *("-c", "copy", "-disposition:s:0", "default", "-metadata:s:s:0", "language=swe"),
        *("-attach", font, "-metadata:s:t", "mimetype=font/ttf", old),
    )
    made = mux(old, [track()])
    assert made.path == tmp_path / "old.subtitled.mkv"
    assert packets_of(made.path) == packets_of(old)
    with av.open(str(made.path)) as container:
        first, second = container.streams.subtitles
        assert (first.metadata["language"], second.metadata["language"]) == ("swe", "eng")
        assert not first.disposition & first.disposition.default
        assert second.disposition & second.disposition.default
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert [bytes(stream.data) for stream in container.streams.attachments] == [b"font" * 100]
    assert [text for _, _, text in cues_of(made.path, 0)] == ["old"]
    unflagged = mux(old, [track()], tmp_path / "other.mkv", default=False)
    with av.open(str(unflagged.path)) as container:
        first, second = container.streams.subtitles
        assert first.disposition & first.disposition.default
        assert not second.disposition & second.disposition.default


def test_chapters_and_time_codes_of_quicktime_are_not_doubled(tmp_path: Path) -> None:
    chapters = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
    (tmp_path / "chapters.txt").write_text(chapters)
    plain_video, old = write_video(tmp_path / "plain.mov"), tmp_path / "old.mov"
    run_ffmpeg(
        *("-i", plain_video, "-i", tmp_path / "chapters.txt", "-map_metadata", "1"),
        *("-c", "copy", "-timecode", "01:00:00:00", old),
    )
    made = mux(old, [track()])
    assert made.notes == ()
    with av.open(str(old)) as before, av.open(str(made.path)) as after:
        kinds = sorted(stream.type for stream in before.streams)
        assert sorted(stream.type for stream in after.streams) == sorted([*kinds, "subtitle"])
        assert kinds.count("data") == 2
        assert after.streams.video[0].metadata["timecode"] == "01:00:00:00"
        assert len(after.chapters()) == 1


def test_data_that_the_container_does_not_know_is_left_out_and_named(tmp_path: Path) -> None:
    video = tmp_path / "drone.ts"
    plain_video = write_video(tmp_path / "plain.mp4")
    with av.open(str(plain_video)) as source, av.open(str(video), "w") as container:
        data = container.add_data_stream("klv")
        copies = {s.index: container.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
        packet = av.Packet(b"key and value")
        packet.stream, packet.pts, packet.dts = data, 90_000, 90_000
        container.mux(packet)
    made = mux(video, [track()], tmp_path / "out.mp4")
    assert made.notes == (f"{video}: data stream 0 has no place in mp4 and was left out",)
    with av.open(str(made.path)) as container_made:
        kinds = [stream.type for stream in container_made.streams]
    assert kinds == ["video", "audio", "subtitle"]


def test_text_that_another_container_holds_otherwise_is_converted_and_the_rest_named(
    tmp_path: Path,
) -> None:
    swedish = SubtitleTrack(Subtitles((Cue(303, 1007, ("Två", "rader")),), "sv"))
    old = mux(write_video(tmp_path / "talk.mp4"), [swedish]).path
    made = mux(old, [track()], tmp_path / "out.mkv")
    assert cues_of(made.path, 0) == [(0.303, 1.007, "Två\nrader")]
    assert made.notes == (f"{old}: subtitle stream 2 (mov_text) became subrip",)


def test_cues_stay_with_the_picture_where_the_time_stamps_begin_late(tmp_path: Path) -> None:
    video = write_video(tmp_path / "late.ts", start=5.0)
    with av.open(str(video)) as container:
        zero = (container.start_time or 0) / 1e6
    made = mux(video, [track()])
    assert made.path.name == "late.subtitled.mkv"
    assert zero > 4
    assert cues_of(made.path, 0)[0][0] == pytest.approx(0.303, abs=0.001)
    for before, after in zip(packets_of(video), packets_of(made.path), strict=True):
        shown = [float(row[0]) for row in after]
        assert [float(row[0]) - zero for row in before] == pytest.approx(shown, abs=0.001)


def test_cues_stay_with_the_picture_where_the_time_stamps_begin_below_zero(tmp_path: Path) -> None:
    as_it_is = {"avoid_negative_ts": "disabled"}
    video = write_video(tmp_path / "early.webm", SHAPES[".webm"], start=-0.2, options=as_it_is)
    with av.open(str(video)) as container:
        assert (container.start_time or 0) < -100_000
    made = mux(video, [track()])
    # FFmpeg's muxer moves everything to 0, so it is the distances that tell.
    before, after = packets_of(video)[0], packets_of(made.path)[0]
    assert [row[2] for row in before] == [row[2] for row in after]
    moved = {later[0] - earlier[0] for earlier, later in zip(before, after, strict=True)}
    assert len(moved) == 1
    assert cues_of(made.path, 0)[0][0] == pytest.approx(0.303 + float(moved.pop()), abs=0.001)


HOSTILE = "-y %d 'a'; [in]:b\\c $(touch x), \u202e\u00e9.mp4"


def test_any_name_is_only_a_name(videos: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "http:"
    folder.mkdir()
    video = folder / HOSTILE
    video.write_bytes(videos[".mp4"].read_bytes())
    subtitles = folder / "-i concat:a|b'.en.srt"
    subtitles.write_text(write(track().subtitles, "srt"), encoding="utf-8")
    found, _ = read_track(subtitles)
    made = mux(video, [found], folder / ("-n" + HOSTILE))
    assert packets_of(made.path) == packets_of(video)
    assert found.subtitles.language == "en"
    assert len(list(folder.iterdir())) == 3


def test_a_relative_name_is_found_from_here(
    videos: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("talk.mp4").write_bytes(videos[".mp4"].read_bytes())
    assert mux("talk.mp4", [track()]).path == Path("talk.subtitled.mp4")
    assert (tmp_path / "talk.subtitled.mp4").exists()


@pytest.mark.parametrize("how", ["itself", "symlink", "hard link"])
def test_the_video_itself_is_never_written(
    videos: dict[str, Path], tmp_path: Path, how: str
) -> None:
    video, output = tmp_path / "talk.mp4", tmp_path / "other.mp4"
    video.write_bytes(videos[".mp4"].read_bytes())
    if how == "itself":
        output = tmp_path / "." / "talk.mp4"
    elif how == "symlink":
        output.symlink_to(video)
    else:
        os.link(video, output)
    with pytest.raises(OptionError, match="the video itself"):
        mux(video, [track()], output, overwrite=True)
    assert video.read_bytes() == videos[".mp4"].read_bytes()


def test_a_file_that_is_there_is_replaced_only_when_asked(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    output.write_text("mine")
    with pytest.raises(OutputExistsError):
        mux(videos[".mp4"], [track()], output)
    assert output.read_text() == "mine"
    mux(videos[".mp4"], [track()], output, overwrite=True)
    assert len(packets_of(output)) == 2


def test_what_fails_leaves_the_old_file_and_no_other(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.webm"
    output.write_text("mine")
    with pytest.raises(OutputError, match=r"out\.webm: ffmpeg could not make it .*WebM") as caught:
        mux(videos[".mp4"], [track()], output, overwrite=True)
    assert "\n" not in str(caught.value)
    assert output.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [output]


def test_interrupting_leaves_nothing(videos: dict[str, Path], tmp_path: Path) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mux(videos[".mp4"], [track()], tmp_path / "out.mp4", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{video}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{video}'\n",
    ],
)
def test_a_list_of_other_files_is_not_followed(
    videos: dict[str, Path], tmp_path: Path, content: str
) -> None:
    listing = tmp_path / "list.mp4"
    listing.write_text(content.format(video=videos[".mp4"]))
    with pytest.raises(InputError):
        mux(listing, [track()], tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_wrong_wishes_are_refused(videos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.mp4, \.m4v, \.mov, \.mkv, \.webm"):
        mux(videos[".mp4"], [track()], tmp_path / "out.avi")
    with pytest.raises(OptionError, match="no subtitles"):
        mux(videos[".mp4"], [], tmp_path / "out.mp4")
    with pytest.raises(MediaNotFoundError):
        mux(tmp_path / "none.mp4", [track()])


def test_subtitles_are_settled_and_what_was_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.v2.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:03,000\none\n\n2\n00:00:02,000 --> 00:00:04,000\ntwo\n"
    )
    found, notes = read_track(path, title="x")
    assert isinstance(found, SubtitleTrack)
    assert [(cue.start_ms, cue.end_ms) for cue in found.subtitles.cues] == [
        (1000, 2000),
        (2000, 4000),
    ]
    assert found.subtitles.language == ""
    assert len(notes) == 1
    assert notes[0].startswith(f"{path}: line 2: ends 1000 ms")
    assert read_track(path, "German")[0].subtitles.language == "german"
