"""Right-to-left lines, as Chromium lays them out where the paragraph runs from left to right."""

import html
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from subvino import formats
from subvino.formats.direction import mark_direction, without_marks
from subvino.formats.format import WriteOptions
from subvino.subtitles import Cue, CueWord, Subtitles
from tests.chromium import launch_chromium

LEFT_OF_EACH = """line => {
    const node = document.querySelector("p").firstChild;
    return [...line].map((_, at) => {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        return range.getBoundingClientRect().left;
    });
}"""
LINES = (
    "(Rainbow 2026) בשמיים.",
    "קשת בענן!",
    "5 ילדים",
    "הוא אמר: OpenVINO, בבקשה.",
    "- هل رأيت ذلك؟ نعم!",
    "تقنية Wi-Fi في كل مكان.",
)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with launch_chromium() as browser:
        yield browser.new_page()


def places(page: Page, line: str, direction: str) -> list[float]:
    """Where each character begins, from the left end of the line."""
    page.set_content(f'<p dir="{direction}" style="float: left">{html.escape(line)}</p>')
    found: list[float] = page.evaluate(LEFT_OF_EACH, line)
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_marked_line_is_shown_as_in_a_right_to_left_paragraph(page: Page, line: str) -> None:
    marked = mark_direction(line)
    wanted = places(page, line, "rtl")
    assert places(page, line, "ltr") != pytest.approx(wanted, abs=0.5)
    assert places(page, marked, "ltr")[1:-1] == pytest.approx(wanted, abs=0.5)
    assert places(page, marked, "rtl")[1:-1] == pytest.approx(wanted, abs=0.5)


@pytest.mark.parametrize(
    "line", ["Plain.", "שלום עולם", "قوس قزح", "The word שלום means peace.", "日本の空。", "5 %"]
)
def test_a_line_that_is_right_anyhow_stays_as_it_is(line: str) -> None:
    assert mark_direction(line) == line


@pytest.mark.parametrize("name", ["srt", "vtt", "ass", "ttml"])
@pytest.mark.parametrize("has_words", [False, True])
def test_marks_are_written_and_not_read(name: str, has_words: bool) -> None:
    lines = ("<קשת> בענן,", "(Rainbow 2026).")
    words = (
        CueWord("<קשת>", 1000, 1500),
        CueWord(" בענן,", 1500, 2000),
        CueWord(" (Rainbow", 2000, 2500),
        CueWord(" 2026).", 2500, 3000),
    )
    text = formats.write(
        Subtitles((Cue(1000, 3000, lines, words),), "he"), name, WriteOptions(words=has_words)
    )
    assert text.count("\u202b") == text.count("\u202c") == 1
    assert [cue.text for cue in formats.read(text.encode()).cues] == ["\n".join(lines)]


def test_marks_that_somebody_else_put_in_are_taken_out() -> None:
    text = "\u200f- שלום.\n\u202bשלום\nעולם.\u202c"
    assert without_marks(text) == "- שלום.\nשלום\nעולם."
