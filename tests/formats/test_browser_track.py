"""WebVTT as a real browser's <track> takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from subvino.formats.format import WriteOptions
from subvino.formats.vtt import write
from subvino.subtitles import Cue, Subtitles
from tests.chromium import launch_chromium
from tests.formats.samples import MARKUP, PLAIN, SPOKEN, rows

PAGE = '<video><track src="talk.vtt" kind="subtitles" srclang="en" default></video>'
READ_CUES = """async () => {
  const element = document.querySelector('track')
  element.track.mode = 'showing'
  while (element.readyState < 2) await new Promise(done => setTimeout(done, 10))
  if (element.readyState === 3) return null
  return [...element.track.cues].map(cue => {
    const inside = cue.getCueAsHTML()
    const times = document.createTreeWalker(inside, NodeFilter.SHOW_PROCESSING_INSTRUCTION)
    const stamps = []
    while (times.nextNode()) stamps.push(times.currentNode.data)
    return {start: cue.startTime, end: cue.endTime, text: inside.textContent, stamps,
            line: cue.line, align: cue.align}
  })
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_chromium() as browser:
        yield browser


def cues_in(browser: Browser, vtt: str) -> list[dict[str, Any]]:
    """The cues of the track's file, as the browser has them."""

    def serve(route: Route) -> None:
        if route.request.url.endswith(".vtt"):
            route.fulfill(body=vtt, content_type="text/vtt; charset=utf-8")
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    page = browser.new_page()
    try:
        page.route("**/*", serve)
        page.goto("http://talk.invalid/")
        cues: list[dict[str, Any]] | None = page.evaluate(READ_CUES)
    finally:
        page.close()
    assert cues is not None, "the browser refused the file"
    return cues


def as_rows(cues: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(round(1000 * c["start"]), round(1000 * c["end"]), c["text"]) for c in cues]


def test_a_browser_has_the_same_times_and_text(browser: Browser) -> None:
    assert as_rows(cues_in(browser, write(PLAIN))) == rows(PLAIN)


def test_a_browser_takes_no_text_for_markup(browser: Browser) -> None:
    subtitles = Subtitles(
        tuple(Cue(1000 * at, 1000 * at + 900, ("Before", line)) for at, line in enumerate(MARKUP))
    )
    assert as_rows(cues_in(browser, write(subtitles))) == rows(subtitles)


def test_a_browser_finds_the_time_of_each_word(browser: Browser) -> None:
    text = write(SPOKEN, WriteOptions(words=True))
    cues = cues_in(browser, text)
    assert as_rows(cues) == rows(SPOKEN)
    stamps = [stamp for cue in cues for stamp in cue["stamps"]]
    assert stamps == re.findall(r"<(\d\d:[\d:.]+)>", text)
    assert stamps


def test_a_browser_obeys_the_settings_of_cues(browser: Browser) -> None:
    options = WriteOptions(vtt_settings="line:10% align:start")
    cues = cues_in(browser, write(PLAIN, options))
    assert {(cue["line"], cue["align"]) for cue in cues} == {(10, "start")}
