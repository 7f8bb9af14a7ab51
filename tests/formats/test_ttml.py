import pytest
from hypothesis import given

from subvino.errors import SubtitleFileError
from subvino.formats.format import WriteOptions
from subvino.formats.ttml import read, write
from subvino.subtitles import Cue, Subtitles
from tests.formats.samples import (
    MARKUP,
    PLAIN,
    SPOKEN,
    pysubs2_rows,
    raw_rows,
    rows,
    some_subtitles,
)


@given(some_subtitles())
def test_what_is_written_reads_back_the_same(subtitles: Subtitles) -> None:
    assert raw_rows(read(write(subtitles)).cues) == rows(subtitles)


# FFmpeg writes TTML but has no reader for it.
def test_pysubs2_reads_the_same_times_and_text() -> None:
    assert pysubs2_rows(write(PLAIN), "ttml") == rows(PLAIN)


@pytest.mark.parametrize("line", [line for line in MARKUP if "{" not in line])
def test_pysubs2_takes_no_text_for_markup(line: str) -> None:
    cues = Subtitles((Cue(0, 1000, (line,)),))
    assert pysubs2_rows(write(cues), "ttml") == rows(cues)


def test_the_language_is_kept_and_can_break_nothing() -> None:
    assert read(write(PLAIN)).language == "en"
    assert read(write(Subtitles((), 'e"><x'))).language == 'e"><x'


def test_words_are_spans_with_times_from_the_paragraphs_begin() -> None:
    text = write(SPOKEN, WriteOptions(words=True))
    assert (
        '<span begin="00:00:00.400">choose</span><br/><span begin="00:00:01.000">to</span>' in text
    )
    assert raw_rows(read(text).cues) == rows(SPOKEN)


def document(body: str, attributes: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-16"?>'
        '<tt xmlns="http://www.w3.org/2006/10/ttaf1" '
        f'xmlns:ttp="http://www.w3.org/2006/10/ttaf1#parameter" {attributes}>{body}</tt>'
    )


@pytest.mark.parametrize(
    ("begin", "end", "attributes"),
    [
        ("00:00:01", "00:00:02.5", ""),
        ("1s", "2500ms", ""),
        ("00:00:01:00", "00:00:02:12", 'ttp:frameRate="24"'),
        ("25f", "62.5f", 'ttp:frameRate="25"'),
        ("10000000t", "25000000t", 'ttp:tickRate="10000000"'),
    ],
)
def test_every_kind_of_time_is_read(begin: str, end: str, attributes: str) -> None:
    text = document(f'<body><p begin="{begin}" end="{end}">Hi<br/> you </p></body>', attributes)
    assert raw_rows(read(text).cues) == [(1000, 2500, "Hi\nyou")]


def test_times_count_from_what_contains_them() -> None:
    text = document(
        '<body begin="10s"><div begin="5s" end="8s"><p begin="1s" dur="9s">a</p>'
        "<p>b</p></div></body><body><p>never shown</p></body>"
    )
    assert raw_rows(read(text).cues) == [(16_000, 18_000, "a"), (15_000, 18_000, "b")]


BOMB = '<!DOCTYPE tt [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + document("<p>&b;</p>")


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<!DOCTYPE tt SYSTEM "file:///etc/passwd">' + document(""),
        document("<p"),
        document("&undefined;"),
        "<html/>",
        "<tt><p begin='later'>x</p></tt>",
        document('<p begin="99999999999999999999999s">x</p>'),
        document("", 'ttp:frameRate="0"'),
        document("", 'ttp:frameRateMultiplier="1"'),
        document("", 'ttp:tickRate="NaN"'),
        document("<div>" * 100_000),
    ],
)
def test_hostile_files_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(SubtitleFileError) as found:
        read(text, "x.ttml")
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 200
