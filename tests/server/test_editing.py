from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.cues import CueRules, build_cues
from subvino.errors import OptionError
from subvino.server.editing import (
    CHANGES,
    Cues,
    EditedCue,
    EditRules,
    HeardWord,
    apply_change,
    cut_cues,
    find_doubts,
    format_time,
    insert,
    merge,
    parse_time,
    remove,
    set_text,
    set_times,
    shift,
    split,
    to_subtitles,
    to_transcript,
)
from subvino.transcript import Segment, Transcript, Word

property_test = settings(deadline=None, derandomize=True)
RULES = CueRules()
BY = EditRules(RULES, "en")


def heard(*words: tuple[str, float]) -> Transcript:
    """A transcript with a word each half second."""
    told = tuple(
        Word(text if number == 0 else f" {text}", number / 2, number / 2 + 0.4, probability)
        for number, (text, probability) in enumerate(words)
    )
    text = " ".join(text for text, _ in words)
    return Transcript((Segment(text, 0.0, len(words) / 2, told),), "en", 1.0, len(words) / 2)


RAINBOW = heard(("The", 0.9), ("pot", 0.3), ("of", 0.9), ("gold.", 0.5), ("It", 0.9), ("is", 0.9))


def texts(cues: Cues) -> list[str]:
    return [cue.text for cue in cues]


def plain(*rows: tuple[int, int, str]) -> Cues:
    return tuple(EditedCue(*row) for row in rows)


TWO = plain((1000, 3000, "One two three."), (4000, 6000, "Four."))


# --- from a transcript and back -----------------------------------------------------------------


def test_cut_cues_are_those_that_the_cue_builder_makes() -> None:
    cues = cut_cues(RAINBOW, RULES)
    assert to_subtitles(cues, "en") == build_cues(RAINBOW, RULES)
    assert [word.probability for cue in cues for word in cue.heard] == [
        0.9,
        0.3,
        0.9,
        0.5,
        0.9,
        0.9,
    ]


def test_pieces_of_a_word_without_spaces_are_as_sure_as_the_word() -> None:
    words = (Word("日本語", 0.0, 1.0, 0.2), Word("です。", 1.0, 2.0, 0.9))
    transcript = Transcript((Segment("日本語です。", 0.0, 2.0, words),), "ja", 1.0, 2.0)
    (cue,) = cut_cues(transcript, RULES)
    assert [(cue.text[d.begin : d.end], d.probability) for d in find_doubts(cue)] == [
        ("日本語", 0.2)
    ]


def test_a_text_without_word_times_is_not_doubted() -> None:
    transcript = Transcript((Segment("Good morning.", 0.0, 2.0),), "en", 1.0, 2.0)
    (cue,) = cut_cues(transcript, RULES)
    assert find_doubts(cue) == ()


def test_a_corrected_transcript_keeps_the_times_of_words_that_stayed() -> None:
    (cue, *rest) = cut_cues(RAINBOW, RULES)
    cues = set_text((cue, *rest), 0, cue.text.replace("pot of", "big pots of"))
    words = [
        word for segment in to_transcript(cues, RAINBOW).segments for word in segment.words or ()
    ]
    told = [(word.text.strip(), word.start, word.probability) for word in words]
    assert told[0] == ("The", 0.0, 0.9)
    assert [text for text, _, probability in told if probability == 1.0] == ["big", "pots"]
    assert ("of", 1.0, 0.9) in told
    assert 0.4 <= words[1].start <= words[1].end <= words[2].end <= 1.0


def test_a_corrected_transcript_can_be_written_and_read_again() -> None:
    cues = set_text(cut_cues(RAINBOW, RULES), 0, "Something else\nis said here.")
    transcript = to_transcript(cues, RAINBOW)
    assert Transcript.from_json(transcript.to_json()) == transcript
    assert transcript.segments[0].text == "Something else is said here."


# --- doubt --------------------------------------------------------------------------------------


def test_doubtful_words_are_marked_until_somebody_changes_them() -> None:
    cues = cut_cues(RAINBOW, RULES)
    marked = [cue.text[d.begin : d.end] for cue in cues for d in find_doubts(cue)]
    assert marked == ["pot", "gold."]
    cues = set_text(cues, 0, cues[0].text.replace("pot", "lot"))
    assert [cue.text[d.begin : d.end] for cue in cues for d in find_doubts(cue)] == ["gold."]


def test_doubt_goes_with_its_word_through_split_and_merge() -> None:
    words = tuple(
        HeardWord(text, n * 500, n * 500 + 400, probability)
        for n, (text, probability) in enumerate([("one", 0.9), (" two", 0.1), (" three", 0.9)])
    )
    cues: Cues = (EditedCue(0, 1500, "one two three", words),)
    parted = split(cues, 0, RULES, 4)
    assert texts(parted) == ["one", "two three"]
    assert [len(cue.heard) for cue in parted] == [1, 2]
    assert [d.begin for d in find_doubts(parted[1])] == [0]
    assert merge(parted, 0, RULES) == cues


# --- single changes -----------------------------------------------------------------------------


def test_a_split_cue_comes_in_with_the_word_it_begins_with() -> None:
    cues = cut_cues(RAINBOW, CueRules(max_chars=60))
    whole = merge(cues, 0, RULES) if len(cues) > 1 else cues
    parted = split(whole, 0, RULES, whole[0].text.index("It"))
    assert texts(parted) == ["The pot of gold.", "It is"]
    assert parted[1].start_ms == 2000
    assert parted[0].end_ms == 2000 - RULES.min_gap_ms


def test_a_split_without_a_place_parts_at_the_sentence() -> None:
    cues = plain((0, 4000, "Yes, it is. We should go home then."))
    assert texts(split(cues, 0, RULES)) == ["Yes, it is.", "We should go home then."]


@pytest.mark.parametrize("offset", [0, 100, -100])
def test_a_split_at_an_end_is_refused(offset: int) -> None:
    with pytest.raises(OptionError, match="between two words"):
        split(TWO, 1, RULES, offset)


def test_merged_cues_are_broken_anew_and_last_from_first_to_last() -> None:
    (cue,) = merge(TWO, 0, RULES)
    assert cue == EditedCue(1000, 6000, "One two three. Four.")


def test_lines_of_a_dialogue_stay_when_cues_are_merged() -> None:
    cues = plain((0, 1000, "- Who?"), (1000, 2000, "- Me."))
    assert texts(merge(cues, 0, RULES)) == ["- Who?\n- Me."]


def test_the_last_cue_has_none_to_be_merged_with() -> None:
    with pytest.raises(OptionError, match="no cue after"):
        merge(TWO, 1, RULES)


def test_times_that_overlap_a_neighbour_are_refused_with_the_time_there() -> None:
    with pytest.raises(OptionError, match=r"comes in at 0:04\.000"):
        set_times(TWO, 0, 1000, 4001)
    with pytest.raises(OptionError, match=r"shown until 0:03\.000"):
        set_times(TWO, 1, 2999, 5000)
    with pytest.raises(OptionError, match="at least 100 ms"):
        set_times(TWO, 0, 2000, 2050)
    assert set_times(TWO, 0, 0, 4000)[0].end_ms == 4000


def test_text_is_cleaned_and_never_empty() -> None:
    assert texts(set_text(TWO, 0, "  <i>A</i>\n\n B\x07 "))[0] == "A\nB"
    with pytest.raises(OptionError, match="needs text"):
        set_text(TWO, 0, " \n <b></b>")
    with pytest.raises(OptionError, match="at most 1000"):
        set_text(TWO, 0, "x" * 1001)


def test_a_shift_moves_all_from_a_cue_on_with_their_words() -> None:
    cues = cut_cues(RAINBOW, RULES)
    moved = shift(cues, 250)
    assert [cue.start_ms - old.start_ms for cue, old in zip(moved, cues, strict=True)] == (
        [250] * len(cues)
    )
    assert moved[0].heard[0].start_ms == 250
    assert shift(TWO, -900, 1)[0] == TWO[0]
    assert shift(TWO, -900, 1)[1].start_ms == 3100
    with pytest.raises(OptionError, match="before the beginning"):
        shift(TWO, -1001)
    with pytest.raises(OptionError, match="shown until"):
        shift(TWO, -1001, 1)


def test_a_new_cue_takes_the_time_that_is_free() -> None:
    assert [(cue.start_ms, cue.end_ms) for cue in insert(TWO, 0)] == [
        (1000, 3000),
        (3000, 4000),
        (4000, 6000),
    ]
    assert insert(TWO, 1)[2].end_ms == 8000
    assert insert(TWO, -1)[0].end_ms == 1000
    with pytest.raises(OptionError, match="no time free"):
        insert(plain((0, 1000, "A"), (1050, 2000, "B")), 0)


def test_a_removed_cue_leaves_the_others_as_they_are() -> None:
    assert remove(TWO, 0) == TWO[1:]


# --- times as people write them -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [("0", 0), ("7.5", 7500), ("1:02,25", 62_250), (" 10:00:00.001 ", 36_000_001), ("90", 90_000)],
)
def test_times_are_read_as_people_write_them(text: str, time_ms: int) -> None:
    assert parse_time(text) == time_ms


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "abc", "1.2345", "1" * 9, "²"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="is not a time"):
        parse_time(text)


@property_test
@given(st.integers(0, 359_999_999))
def test_a_time_that_is_shown_reads_as_itself(time_ms: int) -> None:
    assert parse_time(format_time(time_ms)) == time_ms


# --- any changes --------------------------------------------------------------------------------

CHANGE = st.fixed_dictionaries(
    {"do": st.sampled_from(sorted(CHANGES)), "cue": st.integers(-1, 6)},
    optional={
        "text": st.sampled_from(
            ["", "Yes.", "two\nlines", "pot of gold", "日本語です", "<i>x</i>"]
        ),
        "at": st.none() | st.integers(-3, 30),
        "start": st.integers(0, 9000).map(format_time),
        "end": st.integers(0, 9000).map(format_time),
        "by_ms": st.integers(-5000, 5000),
    },
)


def squeezed(cues: Cues) -> str:
    return "".join("".join(cue.text.split()) for cue in cues)


@property_test
@given(st.lists(CHANGE, max_size=8))
def test_after_any_changes_cues_are_in_order_and_can_be_written(
    changes: list[dict[str, Any]],
) -> None:
    cues = cut_cues(RAINBOW, CueRules(max_chars=10, max_lines=1))
    for change in changes:
        before = cues
        try:
            cues = apply_change(cues, change, BY)
        except OptionError:
            continue
        if change["do"] in ("split", "merge", "shift", "times"):
            assert squeezed(cues) == squeezed(before)
        for cue in cues:
            assert all(d.begin < d.end <= len(cue.text) for d in find_doubts(cue))
    to_subtitles(cues, "en")
    transcript = to_transcript(cues, RAINBOW)
    assert Transcript.from_json(transcript.to_json()).segments == transcript.segments


@property_test
@given(
    st.dictionaries(
        st.sampled_from(["do", "cue", "text", "at", "start", "end", "by_ms"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from(sorted(CHANGES))
        | st.lists(st.integers(), max_size=2),
    )
)
def test_whatever_the_page_sends_is_done_or_refused_in_words(change: dict[str, Any]) -> None:
    with suppress(OptionError):
        apply_change(TWO, change, BY)
