from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.check import RULES, Finding, check, find_in_cues
from subvino.cues import build_cues, rules_for
from subvino.formats import SubtitleFile, read
from subvino.subtitles import RawCue, settle
from subvino.transcript import Segment, Transcript

RULES_EN = rules_for("default", "en")
GOOD = [
    RawCue(1000, 3000, "We walked for hours\nto the old mill."),
    RawCue(3083, 5000, "- Who goes there?\n- Me."),
    RawCue(8000, 10_000, "He left."),
]


def found(*cues: RawCue) -> list[tuple[str, int | None]]:
    return [(item.rule, item.cue) for item in find_in_cues(cues, RULES_EN, "en")]


def test_good_cues_break_no_rule() -> None:
    assert found(*GOOD) == []


@pytest.mark.parametrize(
    ("cues", "expected"),
    [
        ([RawCue(5000, 7000, "One."), RawCue(0, 2000, "Two.")], [("order", 2)]),
        ([RawCue(0, 2500, "One."), RawCue(2000, 4000, "Two.")], [("overlap", 2)]),
        ([RawCue(1000, 1000, "One.")], [("no_duration", 1)]),
        ([RawCue(0, 1000, "  ")], [("empty", 1)]),
        ([RawCue(0, 1000, "<i>Now</i>")], [("markup", 1)]),
        ([RawCue(0, 1000, "Fish &amp; chips")], [("markup", 1)]),
        ([RawCue(0, 1000, "GrÃ¼ÃŸe")], [("encoding", 1)]),
        ([RawCue(0, 1000, "Gr\ufffdn")], [("encoding", 1)]),
        ([RawCue(0, 1000, "One thing or two, then.")], [("max_cps", 1)]),
        ([RawCue(0, 500, "Now.")], [("min_duration_ms", 1)]),
        ([RawCue(0, 7001, "Now and here.")], [("max_duration_ms", 1)]),
        ([RawCue(0, 5000, "A" * 43)], [("max_chars", 1)]),
        ([RawCue(0, 5000, "One,\nor two,\nor three.")], [("max_lines", 1)]),
        ([RawCue(0, 1000, "One."), RawCue(1082, 2000, "Two.")], [("min_gap_ms", 1)]),
        ([RawCue(0, 1000, "One."), RawCue(1400, 2400, "Two.")], [("chain_gap_ms", 1)]),
        ([RawCue(0, 4000, "We walked for hours to the old\nmill.")], [("orphan_line", 1)]),
        ([RawCue(0, 4000, "I have told you so.\nNever.")], []),
        ([RawCue(0, 4000, "- I have told you so.\n- when?")], []),
        (
            [RawCue(0, 2000, "And now the winner is"), RawCue(2083, 4000, "Maria.")],
            [("orphan_cue", 2)],
        ),
        ([RawCue(0, 2000, "That is the end."), RawCue(2083, 4000, "Really?")], []),
        ([RawCue(0, 2000, "And now the winner is"), RawCue(9000, 10_000, "Maria.")], []),
    ],
    ids=lambda value: value[0][0] if value and isinstance(value[0], tuple) else None,
)
def test_each_rule_finds_the_cue_that_breaks_it(
    cues: list[RawCue], expected: list[tuple[str, int]]
) -> None:
    assert found(*cues) == expected


def test_words_a_minute_count_where_the_profile_does() -> None:
    cue = RawCue(0, 1000, "I do it as we go.")
    rules = rules_for("bbc", "en")
    assert [item.rule for item in find_in_cues([cue], rules, "en")] == ["max_wpm"]


def test_an_overlap_tells_by_how_much_and_with_which_cue() -> None:
    cues = [RawCue(0, 9000, "long " * 4), RawCue(1000, 2500, "Two."), RawCue(3000, 9500, "Three.")]
    overlaps = [item for item in find_in_cues(cues, RULES_EN) if item.rule == "overlap"]
    assert [(item.cue, item.found, item.note) for item in overlaps] == [
        (2, 1500, "with cue 1"), (3, 6000, "with cue 1")
    ]  # fmt: skip


ANY = st.lists(
    st.builds(
        RawCue,
        st.integers(-5000, 90_000),
        st.integers(-5000, 90_000),
        st.sampled_from(["", "no", "a b\nc", "<b>x", "日本語", "- hm\n- ha", "\n\n", "w" * 90])
        | st.text(max_size=9),
    ),
    max_size=9,
)


@given(ANY)
def test_any_cues_are_told_with_rules_and_cues_that_there_are(cues: list[RawCue]) -> None:
    for item in find_in_cues(cues, RULES_EN, "en"):
        assert item.rule in RULES
        assert item.cue is not None
        assert item.time_ms == cues[item.cue - 1].start_ms


@given(ANY)
def test_settled_cues_are_in_order_and_apart(cues: list[RawCue]) -> None:
    settled = [RawCue(c.start_ms, c.end_ms, c.text) for c in settle(cues)[0].cues]
    rules = {item.rule for item in find_in_cues(settled, RULES_EN)}
    assert rules.isdisjoint({"order", "overlap", "empty", "no_duration"})


def test_what_the_cue_builder_makes_of_easy_speech_is_clean() -> None:
    text = (
        "Her mother wished her to learn music, and Catherine was sure she should like it, "
        "for she was very fond of tinkling the keys of the old forlorn spinnet."
    )
    spoken = Transcript((Segment(text, 0.0, 12.0),), "en", 1.0, 20.0)
    cues = [RawCue(c.start_ms, c.end_ms, c.text) for c in build_cues(spoken).cues]
    assert found(*cues) == []


def test_the_file_itself_is_judged() -> None:
    srt = "1\n00:00:01,000 --> 00:00:03,000\nGrüße.\n"
    rules = RULES_EN
    assert check(read(srt.encode("cp1252")), rules).findings == (
        Finding("encoding", 0, note="read as cp1252, not UTF-8"),
    )
    marked = check(read(srt.encode("utf-8-sig")), rules)
    assert (marked.findings, marked.notes) == ((), ("begins with a byte order mark",))
    assert check(read(srt.encode()), rules).notes == ()
    empty = check(SubtitleFile((), "vtt", "utf-8"), rules)
    assert [item.rule for item in empty.findings] == ["empty"]
