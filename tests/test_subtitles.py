import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.subtitles import Cue, CueWord, RawCue, Subtitles, settle


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "lines"), [(-1, 5, ("a",)), (5, 5, ("a",)), (0, 5, ()), (0, 5, (" ",))]
)
def test_a_cue_that_can_not_be_shown_is_refused(
    start_ms: int, end_ms: int, lines: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="cue"):
        Cue(start_ms, end_ms, lines)


def test_cues_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Subtitles((Cue(0, 10, ("a",)), Cue(9, 20, ("b",))))


def test_words_are_found_in_their_lines() -> None:
    words = (CueWord("We", 0, 1), CueWord(" do", 1, 2), CueWord(" now.", 2, 3))
    assert Cue(0, 9, ("We do", "now."), words).word_lines() == (words[:2], words[2:])
    assert Cue(0, 9, ("We do",), words).word_lines() == ()
    assert Cue(0, 9, ("We do", "so."), words).word_lines() == ()
    assert Cue(0, 9, ("We do",)).word_lines() == ()


def test_settling_names_everything_it_changes() -> None:
    raw = [
        RawCue(5000, 6000, "later", 1),
        RawCue(0, 2500, "first", 4),
        RawCue(2000, 3000, "second", 7),
        RawCue(2000, 3500, "at once", 10),
        RawCue(4000, 4000, "no end", 13),
        RawCue(7000, 8000, " ", 16),
    ]
    subtitles, notes = settle(raw, "en")
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in subtitles.cues] == [
        (0, 2000, "first"),
        (2000, 3500, "second\nat once"),
        (4000, 5000, "no end"),
        (5000, 6000, "later"),
    ]
    assert sorted(note.split(":")[0] for note in notes) == [
        "line 10", "line 10", "line 13", "line 13", "line 16", "line 4", "line 4", "line 7"
    ]  # fmt: skip


RAW = st.lists(
    st.builds(
        RawCue, st.integers(-50, 500), st.integers(-50, 500), st.sampled_from(["", "a", "b\n\nc"])
    ),
    max_size=12,
)


@given(RAW)
def test_settling_gives_cues_in_order_and_loses_no_text(raw: list[RawCue]) -> None:
    subtitles, _ = settle(raw)
    for before, after in itertools.pairwise(subtitles.cues):
        assert before.end_ms <= after.start_ms
    shown = {line for cue in subtitles.cues for line in cue.lines}
    assert shown == {line for cue in raw for line in cue.text.split()}


@given(RAW)
def test_what_is_settled_stays_as_it_is(raw: list[RawCue]) -> None:
    settled, _ = settle(raw)
    again, notes = settle([RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in settled.cues])
    assert again == settled
    assert notes == ()
