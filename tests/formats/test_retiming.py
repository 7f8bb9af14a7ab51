from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subvino.formats import WriteOptions, read, retime, write
from subvino.subtitles import Subtitles
from tests.formats.samples import SPOKEN, ffmpeg_rows, rows, some_subtitles

SRT = (
    "1\n00:00:01,000 --> 00:00:02,000 X1:40\n<i>Hello,</i>\n2nd line\n\n"
    "7\n0:00:03.5-->0:00:05\nBye\n"
)
VTT = (
    "WEBVTT - a title\n\nNOTE kept\n\nintro\n00:01.000 --> 00:02.000 line:85%\n"
    "<v Ann>Hi <00:00:01.500>you</v>\n\n00:03.000 --> 00:04.000\nBye\n"
)
ASS = (
    "[Script Info]\nTitle: x\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
    r"Dialogue: 0,0:00:01.00,0:00:02.00,Sign,{\an8}Hi, you" + "\n"
    "Comment: 0,0:00:01.00,0:00:02.00,Sign,kept\n"
    "Dialogue: 0, 0:00:03.00,0:00:04.00,Default,Bye\n"
)


@pytest.mark.parametrize("name", ["srt", "vtt", "ass"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(subtitles=some_subtitles(), shift=st.integers(0, 10_000_000))
def test_only_the_times_become_others(name: str, subtitles: Subtitles, shift: int) -> None:
    text = write(subtitles, name)
    before = read(text.encode()).cues if subtitles.cues else ()
    times = [(cue.start_ms + shift, cue.end_ms + shift) for cue in before]
    moved = retime(text, name, before, times)
    assert moved is not None
    after = read(moved.encode()).cues if subtitles.cues else ()
    step = 10 if name == "ass" else 1
    for old, new in zip(before, after, strict=True):
        assert new.text == old.text
        assert abs(new.start_ms - old.start_ms - shift) < step
        assert abs(new.end_ms - old.end_ms - shift) < step


def test_markup_counters_and_settings_stay_in_srt() -> None:
    cues = read(SRT.encode()).cues
    assert retime(SRT, "srt", cues, [(61_000, 62_000), (3_600_000, 3_601_500)]) == (
        "1\n00:01:01,000 --> 00:01:02,000 X1:40\n<i>Hello,</i>\n2nd line\n\n"
        "7\n01:00:00,000-->01:00:01,500\nBye\n"
    )


def test_notes_voices_and_time_tags_stay_in_webvtt() -> None:
    cues = read(VTT.encode()).cues
    moved = retime(VTT, "vtt", cues, [(11_000, 13_000), None])
    assert moved == (
        "WEBVTT - a title\n\nNOTE kept\n\nintro\n00:00:11.000 --> 00:00:13.000 line:85%\n"
        "<v Ann>Hi <00:00:12.000>you</v>\n\n"
    )


def test_styles_and_comments_stay_in_ass() -> None:
    cues = read(ASS.encode()).cues
    moved = retime(ASS, "ass", cues, [(3_601_004, 3_602_006), (5000, 6000)])
    assert moved is not None
    assert r"Dialogue: 0,1:00:01.00,1:00:02.01,Sign,{\an8}Hi, you" in moved
    assert "Comment: 0,0:00:01.00,0:00:02.00,Sign,kept" in moved
    assert "Dialogue: 0, 0:00:05.00,0:00:06.00,Default,Bye" in moved


def test_ffmpeg_reads_the_new_times() -> None:
    for name in ("srt", "vtt", "ass"):
        text = write(SPOKEN, name, WriteOptions(words=True))
        cues = read(text.encode()).cues
        moved = retime(text, name, cues, [(c.start_ms + 500, c.end_ms + 500) for c in cues])
        assert moved is not None
        wanted = [(start + 500, end + 500, said) for start, end, said in rows(SPOKEN)]
        assert ffmpeg_rows(moved, "webvtt" if name == "vtt" else name) == wanted


def test_ttml_is_not_retimed_in_place() -> None:
    text = write(SPOKEN, "ttml")
    cues = read(text.encode()).cues
    assert retime(text, "ttml", cues, [(0, 1) for _ in cues]) is None
