from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from subvino.errors import DamagedMediaError, NotMediaError, OptionError
from subvino.formats import Style, WriteOptions, write
from subvino.subtitles import Cue, CueWord, Subtitles
from subvino.video import BurnOptions, SubtitleTrack, burn, mux
from subvino.video.burning import Picture, escape, fit_style
from tests.video.videos import (
    Box,
    Shape,
    difference,
    font_folder,
    frame_at,
    packets_of,
    plain_picture,
    run_ffmpeg,
    track,
    write_video,
)

FONT = {"font": "DejaVu Sans", "fonts": font_folder()}
QUICK = BurnOptions(preset="ultrafast", **FONT)  # type: ignore[arg-type]
LINES = ("A rainbow is a", "division of white light")
TRACK = SubtitleTrack(Subtitles((Cue(400, 1200, LINES),), "en"))


def burned_box(video: Path, output: Path, options: BurnOptions = QUICK) -> Box:
    """Where the picture changes while the cue is shown; nothing must change before and after."""
    made = burn(video, TRACK, output, options)
    for time in (0.36, 1.2):
        assert difference(frame_at(video, time), frame_at(made.path, time)) is None
    shown = difference(frame_at(video, 0.4), frame_at(made.path, 0.4))
    later = difference(frame_at(video, 1.16), frame_at(made.path, 1.16))
    assert shown is not None
    assert later is not None
    assert later.top == pytest.approx(shown.top, abs=0.01)
    return shown


def assert_safe(box: Box) -> None:
    """In the middle of the lower third, 5 % of the picture or more from every edge."""
    assert box.left > 0.04
    assert box.right < 0.96
    assert box.left + box.right == pytest.approx(1, abs=0.04)
    assert box.top > 2 / 3
    assert box.bottom < 0.96


def test_the_text_is_in_the_lower_third_of_a_landscape_picture(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    box = burned_box(videos[".mp4"], tmp_path / "out.mp4")
    assert_safe(box)
    assert box.bottom > 0.9
    assert 0.07 < box.bottom - box.top < 0.14  # two lines of 60 / 1080, as high as their letters
    assert packets_of(tmp_path / "out.mp4")[1] == packets_of(videos[".mp4"])[1]


def test_the_text_fills_an_upright_picture_and_leaves_room_for_buttons(tmp_path: Path) -> None:
    video = write_video(tmp_path / "up.mp4", Shape(180, 320))
    box = burned_box(video, tmp_path / "out.mkv")
    assert_safe(box)
    assert box.bottom < 0.86
    assert box.right - box.left > 0.7


@pytest.mark.parametrize(
    "line",
    [
        "https://www.example.com/watch/abcdefgh",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "W" * 30,
        "Ж" * 30,
    ],
)
def test_a_word_wider_than_the_picture_becomes_smaller(line: str, tmp_path: Path) -> None:
    video = write_video(tmp_path / "up.mp4", Shape(360, 640), [plain_picture(360, 640)] * 10)
    told = SubtitleTrack(Subtitles((Cue(0, 400, ("It is", line)),)))
    made = burn(video, told, tmp_path / "out.mp4", QUICK)
    box = difference(frame_at(video, 0.2), frame_at(made.path, 0.2))
    assert box is not None
    assert_safe(box)
    assert box.right - box.left > 0.6


def test_a_turned_picture_is_upright_before_the_text_is_drawn(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    video = tmp_path / "turned.mp4"
    run_ffmpeg("-display_rotation", "90", "-i", videos[".mp4"], "-c", "copy", video)
    with av.open(str(video)) as container:
        assert next(container.decode(video=0)).rotation == 90
    assert frame_at(video, 0).shape == (320, 180, 3)
    box = burned_box(video, tmp_path / "out.mp4")
    assert_safe(box)
    assert box.right - box.left > 0.7


def test_letters_keep_their_shape_where_pixels_are_not_square(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    video = tmp_path / "wide.mp4"
    # 320 x 180 pixels of 2:1 are shown as 640 x 180
    bsf = "h264_metadata=sample_aspect_ratio=2/1"
    run_ffmpeg("-i", videos[".mp4"], "-c", "copy", "-bsf:v", bsf, "-aspect", "32:9", video)
    square = burned_box(videos[".mp4"], tmp_path / "square.mp4")
    wide = burned_box(video, tmp_path / "out.mp4")
    assert wide.bottom - wide.top == pytest.approx(square.bottom - square.top, abs=0.02)
    assert wide.right - wide.left == pytest.approx((square.right - square.left) / 2, abs=0.02)


def test_odd_sides_and_full_colour_become_what_players_show(tmp_path: Path) -> None:
    shape = Shape(321, 181, pix_fmt="yuv444p")
    video = write_video(tmp_path / "odd.mkv", shape, [plain_picture(321, 181)] * 20)
    made = burn(video, SubtitleTrack(Subtitles((Cue(0, 700, LINES),))), None, QUICK)
    with av.open(str(made.path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.format.name) == (322, 182, "yuv420p")


def test_the_look_is_as_asked_for(videos: dict[str, Path], tmp_path: Path) -> None:
    yellow = {"colour": "FFFF00", "outline": 0, "size": 120, "position": "top", "margin": 216}
    options = BurnOptions(preset="ultrafast", **yellow, **FONT)  # type: ignore[arg-type]
    box = burned_box(videos[".mp4"], tmp_path / "out.mp4", options)
    assert 0.2 <= box.top < 0.25
    assert box.bottom < 0.5
    assert box.bottom - box.top > 0.15
    frame = frame_at(tmp_path / "out.mp4", 0.8).astype(int)
    assert np.any((frame[..., 0] > 200) & (frame[..., 1] > 200) & (frame[..., 2] < 90))
    assert not np.any(frame.min(axis=2) > 170)  # no white
    assert not np.any(frame.max(axis=2) < 60)  # no outline


def test_an_ass_file_keeps_its_styles_unless_one_is_asked_for(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    style = Style(font="DejaVu Sans", alignment=8, size=100)
    script = write(TRACK.subtitles, "ass", WriteOptions(style=style))
    own = SubtitleTrack(TRACK.subtitles, script=script)
    video = videos[".mp4"]
    options = BurnOptions(preset="ultrafast", fonts=font_folder())
    kept = burn(video, own, tmp_path / "kept.mp4", options)
    box = difference(frame_at(video, 0.8), frame_at(kept.path, 0.8))
    assert box is not None
    assert box.bottom < 0.3
    changed = burn(video, own, tmp_path / "changed.mp4", QUICK)
    box = difference(frame_at(video, 0.8), frame_at(changed.path, 0.8))
    assert box is not None
    assert_safe(box)


def test_words_are_coloured_when_they_are_said(videos: dict[str, Path], tmp_path: Path) -> None:
    words = (CueWord("one", 400, 800), CueWord(" two", 800, 1200))
    told = SubtitleTrack(Subtitles((Cue(400, 1200, ("one two",), words),)))
    options = BurnOptions(preset="ultrafast", words=True, colour="FF0000", **FONT)  # type: ignore[arg-type]
    made = burn(videos[".mp4"], told, tmp_path / "out.mp4", options)

    def red(time: float) -> int:
        frame = frame_at(made.path, time).astype(int)
        return int(np.count_nonzero(frame[..., 0] - frame[..., 1] > 60))

    assert 0 < red(0.6) < 0.7 * red(1.0)


def test_a_folder_of_fonts_may_have_any_name(videos: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "a:b, 'c' [d];\\e"
    folder.mkdir()
    letter = SubtitleTrack(Subtitles((Cue(400, 1200, ("\U0010fffd",)),)))
    (font,) = font_folder().glob("DejaVuSans.ttf")
    (folder / font.name).write_bytes(renamed(font.read_bytes()))
    options = BurnOptions(preset="ultrafast", font="Kumquat San", fonts=folder)
    narrow = BurnOptions(preset="ultrafast", **FONT)  # type: ignore[arg-type]
    video = videos[".mp4"]
    found = burn(video, TRACK, tmp_path / "found.mp4", options)
    wanted = burn(video, TRACK, tmp_path / "wanted.mp4", narrow)
    assert difference(frame_at(found.path, 0.8), frame_at(wanted.path, 0.8)) is None
    made = burn(video, letter, tmp_path / "none.mp4", options)
    assert any("no font here has these characters" in note for note in made.notes)


def renamed(font: bytes) -> bytes:
    """The font by a name that no machine's own fonts have, as long as the old one."""
    old, new = "DejaVu Sans", "Kumquat San"
    utf16 = font.replace(old.encode("utf-16-be"), new.encode("utf-16-be"))
    return utf16.replace(old.encode(), new.encode())


def test_what_is_not_picture_is_copied_and_a_webm_becomes_matroska(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    video = mux(videos[".webm"], [track()], tmp_path / "talk.webm").path
    seen: list[float] = []
    made = burn(video, TRACK, None, QUICK, progress=seen.append)
    assert made.path == tmp_path / "talk.burned.mkv"
    assert seen[-1] == pytest.approx(2, abs=0.1)
    assert packets_of(made.path)[1] == packets_of(video)[1]
    with av.open(str(made.path)) as container:
        kinds = [(stream.type, stream.codec_context.name) for stream in container.streams]
    assert kinds == [("video", "h264"), ("audio", "opus"), ("subtitle", "webvtt")]


def test_every_frame_keeps_its_time(tmp_path: Path) -> None:
    video = write_video(tmp_path / "late.ts", start=5.0)
    made = burn(video, TRACK, tmp_path / "out.mkv", QUICK)
    with av.open(str(video)) as before, av.open(str(made.path)) as after:
        zero = (before.start_time or 0) / 1e6
        times = [(frame.time or 0) - zero for frame in before.decode(video=0)]
        assert [frame.time for frame in after.decode(video=0)] == pytest.approx(times, abs=0.0015)


def test_what_has_no_picture_is_refused(videos: dict[str, Path], tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    run_ffmpeg("-i", videos[".mp4"], "-vn", "-c", "copy", sound)
    with pytest.raises(NotMediaError, match="no picture"):
        burn(sound, TRACK, tmp_path / "out.mp4", QUICK)
    broken = tmp_path / "broken.mkv"
    data = bytearray(videos[".mkv"].read_bytes())
    data[1500:] = bytes(len(data) - 1500)
    broken.write_bytes(data)
    with pytest.raises(DamagedMediaError, match="no picture can be decoded"):
        burn(broken, TRACK, tmp_path / "out.mp4", QUICK)
    assert not (tmp_path / "out.mp4").exists()


def test_wrong_wishes_are_refused(videos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"H\.264"):
        burn(videos[".mp4"], TRACK, tmp_path / "out.webm")
    with pytest.raises(OptionError, match="0 and 51"):
        BurnOptions(crf=52)
    with pytest.raises(OptionError, match="ultrafast, "):
        BurnOptions(preset="warp")
    with pytest.raises(OptionError, match="no folder"):
        BurnOptions(fonts=tmp_path / "none")
    with pytest.raises(OptionError, match="RRGGBB"):
        burn(videos[".mp4"], TRACK, tmp_path / "out.mp4", BurnOptions(colour="&H00"))


def test_a_style_fits_the_shape_of_the_picture_not_its_pixels() -> None:
    small = fit_style(Picture(320, 180, True, 8), BurnOptions())
    assert small == fit_style(Picture(3840, 2160, True, 8), BurnOptions())
    assert (small.width, small.height, small.size, small.margin) == (1920, 1080, 60, 54)
    upright = fit_style(Picture(180, 320, True, 8), BurnOptions())
    assert (upright.width, upright.height) == (1080, 1920)
    assert upright.margin == 288
    assert upright.side_margin == 54


def test_a_value_is_escaped_for_both_lists() -> None:
    # The example of https://ffmpeg.org/ffmpeg-filters.html#Notes-on-filtergraph-escaping
    given = "this is a 'string': may contain one, or more, special characters"
    wanted = r"this is a \\\'string\\\'\\: may contain one\, or more\, special characters"
    assert escape(given) == wanted
