import pytest
import webvtt
from hypothesis import given

from subvino.errors import OptionError, SubtitleFileError
from subvino.formats.format import WriteOptions
from subvino.formats.vtt import read, write
from subvino.subtitles import Cue, CueWord, Subtitles
from tests.formats.samples import (
    MARKUP,
    PLAIN,
    SPOKEN,
    ffmpeg_rows,
    pysubs2_rows,
    raw_rows,
    rows,
    some_subtitles,
)


@given(some_subtitles())
def test_what_is_written_reads_back_the_same(subtitles: Subtitles) -> None:
    assert raw_rows(read(write(subtitles)).cues) == rows(subtitles)


def test_ffmpeg_pysubs2_and_webvtt_py_read_the_same_times_and_text() -> None:
    text = write(PLAIN)
    assert ffmpeg_rows(text, "webvtt") == rows(PLAIN)
    assert pysubs2_rows(text, "vtt") == rows(PLAIN)
    captions = webvtt.from_string(text).captions
    assert [caption.text for caption in captions] == [cue.text for cue in PLAIN.cues]
    assert [caption.start for caption in captions][1] == "00:00:01.583"


@pytest.mark.parametrize("line", MARKUP)
def test_ffmpeg_takes_no_text_for_markup(line: str) -> None:
    cues = Subtitles((Cue(0, 1000, ("Before", line)), Cue(2000, 3000, ("after",))))
    assert ffmpeg_rows(write(cues), "webvtt") == rows(cues)


def test_words_get_time_tags_that_rise_inside_the_cue() -> None:
    text = write(SPOKEN, WriteOptions(words=True))
    assert text == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n"
        "<00:00:01.200>We <00:00:01.400>choose\n<00:00:02.000>to <00:00:02.100>go.\n"
    )
    assert raw_rows(read(text).cues) == rows(SPOKEN)
    assert ffmpeg_rows(text, "webvtt") == rows(SPOKEN)


def test_words_at_the_same_time_share_a_tag() -> None:
    words = (CueWord("a", 0, 0), CueWord(" b", 500, 500), CueWord(" c", 500, 1000))
    cues = Subtitles((Cue(0, 1000, ("a b c",), words),))
    assert "a <00:00:00.500>b c\n" in write(cues, WriteOptions(words=True))


def test_a_cue_whose_words_are_not_its_text_is_written_without_tags() -> None:
    cues = Subtitles((Cue(0, 1000, ("other",), (CueWord("a", 0, 1),)),))
    assert write(cues, WriteOptions(words=True)).endswith("other\n")


def test_cue_settings_follow_the_times() -> None:
    text = write(PLAIN, WriteOptions(vtt_settings="line:85% align:center"))
    assert "00:00:00.000 --> 00:00:01.500 line:85% align:center\n" in text
    assert ffmpeg_rows(text, "webvtt") == rows(PLAIN)


@pytest.mark.parametrize("settings", ["line:1\n\nevil", "--> 00:00", "<b>"])
def test_settings_that_would_end_the_line_are_refused(settings: str) -> None:
    with pytest.raises(OptionError):
        WriteOptions(vtt_settings=settings)


def test_notes_styles_identifiers_and_tags_are_left_out() -> None:
    text = (
        "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE a\nb\n\n"
        "intro\n01:02.500 --> 01:04.000 align:start\n<v Bob>Hi <c.red>you</c> &amp; me\n\n"
        "NOTE done\n"
    )
    assert raw_rows(read(text).cues) == [(62_500, 64_000, "Hi you & me")]


def test_no_cues_is_a_file_of_its_own_right_but_no_header_is_not() -> None:
    assert read("WEBVTT\n").cues == ()
    with pytest.raises(SubtitleFileError, match="WEBVTT"):
        read("hello")


def test_a_text_made_to_slow_the_reader_takes_no_time() -> None:
    assert read("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<a" * 1_000_000).cues
