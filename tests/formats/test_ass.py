import re

import pytest
from hypothesis import given

from subvino.errors import OptionError, SubtitleFileError
from subvino.formats.ass import read, write
from subvino.formats.format import Style, WriteOptions
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

ON_HUNDREDTHS = Subtitles(tuple(Cue(c.start_ms // 10 * 10, c.end_ms, c.lines) for c in PLAIN.cues))


@given(some_subtitles())
def test_what_is_written_reads_back_the_same(subtitles: Subtitles) -> None:
    assert raw_rows(read(write(subtitles)).cues) == rows(subtitles)


def test_ffmpeg_and_pysubs2_read_the_same_times_and_text() -> None:
    text = write(ON_HUNDREDTHS)
    assert ffmpeg_rows(text, "ass") == rows(ON_HUNDREDTHS)
    assert pysubs2_rows(text, "ass") == rows(ON_HUNDREDTHS)


@pytest.mark.parametrize("line", MARKUP)
def test_ffmpeg_takes_no_text_for_markup(line: str) -> None:
    cues = Subtitles((Cue(0, 1000, ("Before", line)), Cue(2000, 3000, ("after",))))
    assert ffmpeg_rows(write(cues), "ass") == rows(cues)


def test_times_round_to_the_nearest_hundredth_and_never_to_nothing() -> None:
    text = write(Subtitles((Cue(1004, 1005, ("x",)), Cue(1583, 2008, ("y",)))))
    assert "0:00:01.00,0:00:01.01" in text
    assert "0:00:01.58,0:00:02.01" in text


def test_karaoke_adds_up_to_the_cue() -> None:
    text = write(SPOKEN, WriteOptions(words=True))
    assert text.endswith(r"{\k20}{\k20}We{\k60} choose\N{\k10}to{\k90} go." + "\n")
    assert sum(map(int, re.findall(r"\\k(\d+)", text))) == 200
    assert raw_rows(read(text).cues) == rows(SPOKEN)
    assert pysubs2_rows(text, "ass") == rows(SPOKEN)


def test_a_cue_is_smaller_where_a_word_would_not_fit_between_the_margins() -> None:
    style = Style(size=84, side_margin=54, width=1080, height=1920)
    fitting = Cue(0, 1000, ("Many short words that break where there is a space",))
    long = Cue(
        1000, 2000, ("See", "x" * 42), (CueWord("See", 1000, 1200), CueWord("x" * 42, 1200, 2000))
    )
    for words in (False, True):
        text = write(Subtitles((fitting, long)), WriteOptions(words=words, style=style))
        first, second = text.splitlines()[-2:]
        assert r"\fs" not in first
        assert r",,{\fs42}" in second
        assert raw_rows(read(text).cues) == rows(Subtitles((fitting, long)))


def test_a_word_of_any_length_has_a_size() -> None:
    text = write(Subtitles((Cue(0, 1000, ("x" * 10_000,)),)))
    assert r"{\fs1}x" in text
    assert r"\fs" not in write(Subtitles((Cue(0, 1000, ("\0",)),)))


def test_the_style_is_written_as_asked() -> None:
    style = Style(font="Noto Sans", size=80, colour="FFCC00", alignment=8, width=1080, height=1920)
    text = write(PLAIN, WriteOptions(style=style))
    assert "PlayResX: 1080\nPlayResY: 1920\n" in text
    assert "Style: Default,Noto Sans,80,&H0000CCFF," in text


@pytest.mark.parametrize(
    "wrong", [{"font": "a,b"}, {"font": "a\nb"}, {"colour": "red"}, {"waiting_colour": "12345"}]
)
def test_a_style_that_would_break_its_line_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        Style(**wrong)  # type: ignore[arg-type]


def test_overrides_drawings_comments_and_other_sections_are_left_out() -> None:
    text = (
        "[Script Info]\nDialogue: not this\n\n[Events]\n"
        "Format: Start, End, Text\n"
        r"Dialogue: 0:00:01.00,0:00:02.00,{\an8}Hi,\Nyou\hthere" + "\n"
        r"Dialogue: 0:00:01.00,0:00:02.00,{\p1}m 0 0 l 10 10" + "\n"
        "Dialogue: soon,later,broken\n"
        "Comment: 0:00:01.00,0:00:02.00,no\n"
    )
    assert raw_rows(read(text).cues) == [(1000, 2000, "Hi,\nyou\u00a0there")]


def test_a_text_without_events_is_refused() -> None:
    with pytest.raises(SubtitleFileError, match="Events"):
        read("[Script Info]\n", "x.ass")
