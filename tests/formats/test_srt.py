import pytest
from hypothesis import given

from subvino.errors import SubtitleFileError
from subvino.formats.srt import read, write
from subvino.subtitles import Cue, Subtitles
from tests.formats.samples import (
    MARKUP,
    PLAIN,
    ffmpeg_rows,
    pysubs2_rows,
    raw_rows,
    rows,
    some_subtitles,
)


@given(some_subtitles())
def test_what_is_written_reads_back_the_same(subtitles: Subtitles) -> None:
    if subtitles.cues:
        assert raw_rows(read(write(subtitles)).cues) == rows(subtitles)


def test_ffmpeg_and_pysubs2_read_the_same_times_and_text() -> None:
    text = write(PLAIN)
    assert ffmpeg_rows(text, "srt") == rows(PLAIN)
    assert pysubs2_rows(text, "srt") == rows(PLAIN)


@pytest.mark.parametrize("line", [line for line in MARKUP if "{" not in line])
def test_ffmpeg_takes_no_text_for_markup(line: str) -> None:
    cues = Subtitles((Cue(0, 1000, ("Before", line)), Cue(2000, 3000, ("after",))))
    assert ffmpeg_rows(write(cues), "srt") == rows(cues)


def test_an_empty_line_inside_a_cue_does_not_end_it() -> None:
    assert write(Subtitles((Cue(0, 1000, ("one", " ", "two\n\nthree")),))) == (
        "1\n00:00:00,000 --> 00:00:01,000\none\ntwo\nthree\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,500\r\nTwo",
        "00:00:01,000 --> 00:00:02,000\nOne\n\n00:00:03,000 --> 00:00:04,500\nTwo\n",
        "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,500\nTwo\n",
        "1\n00:01.000 -> 00:02.0\n<i>One</i>\n\n\n2\n0:0:3,0-->0:0:4,5\n{\\an8}Two\n",
        "\n\n1\n00:00:01 --> 00:00:02 X1:10 Y1:20\n\nOne\n\n2\n00:00:03:000 --> 00:00:04:500\n"
        "<font color='red'>Two</font>\n",
    ],
)
def test_broken_files_are_read_all_the_same(text: str) -> None:
    assert raw_rows(read(text).cues) == [(1000, 2000, "One"), (3000, 4500, "Two")]


def test_each_cue_knows_its_line() -> None:
    assert [cue.line for cue in read(write(PLAIN)).cues] == [2, 6, 11, 15, 20]


def test_overlaps_and_wrong_ends_are_given_as_they_stand() -> None:
    text = "1\n00:00:05,000 --> 00:00:01,000\nback\n\n2\n00:00:00,500 --> 00:00:09,000\nover\n"
    assert raw_rows(read(text).cues) == [(5000, 1000, "back"), (500, 9000, "over")]


@pytest.mark.parametrize(
    "text", ["no times here", "99999999999999999999:00:00,000 --> 1:00:00,000\nx"]
)
def test_a_text_without_times_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SubtitleFileError) as found:
        read(text, "x.srt")
    assert str(found.value).startswith("x.srt: ")
    assert "\n" not in str(found.value)
