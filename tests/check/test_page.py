from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from subvino.audio import SpeechSegment
from subvino.check import Report, check, render_page
from subvino.cues import rules_for
from subvino.formats import SubtitleFile
from subvino.subtitles import RawCue

EVIL = "<script>alert(1)</script>\" onmouseover='x' </style> &amp; ]]>"
VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """Ids, links, classes and tags; fails where a tag is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.bars: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self.attributes |= values.keys()
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def report(cues: list[RawCue], speech: list[tuple[float, float]] | None = None) -> Report:
    heard = None if speech is None else [SpeechSegment(a, b) for a, b in speech]
    file = SubtitleFile(tuple(cues), "srt", "utf-8")
    return check(file, rules_for("default", "en"), language="en", speech=heard)


def test_bars_lead_to_the_list_and_back() -> None:
    cues = [RawCue(0, 2000, "One."), RawCue(29_000, 31_000, "Two."), RawCue(1000, 900, "")]
    page = Page(render_page(report(cues, [(0, 2), (40, 45)]), "a.srt", {}))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert {"bar-1", "bar-2", "bar-3", "cue-1", "cue-2", "cue-3", "at-40000"} <= set(page.ids)


@given(
    st.lists(
        st.builds(
            RawCue,
            st.integers(-10, 2**42),
            st.integers(-10, 2**42),
            st.just(EVIL) | st.text(max_size=12),
        ),
        max_size=5,
    )
)
def test_any_text_stays_text_and_any_time_makes_a_page_of_some_rows(cues: list[RawCue]) -> None:
    text = render_page(report(cues), EVIL, {"profile": EVIL})
    page = Page(text)
    assert "script" not in page.tags
    assert "onmouseover" not in page.attributes
    assert text.count('class="row"') <= 20 * len(cues)


def test_the_page_needs_nothing_beside_it() -> None:
    text = render_page(report([RawCue(0, 2000, "One.")], []), "a.srt", {"video": "a.mp4"})
    assert re.findall(r"(?:src=|url\(|@import|https?:)", text) == []
    assert "default-src 'none'" in text


def test_a_clean_file_is_said_to_be_clean() -> None:
    text = render_page(report([RawCue(0, 2000, "One.")]), "a.srt", {})
    assert "Clean: no rule is broken." in text
    assert 'class="summary"' not in text
