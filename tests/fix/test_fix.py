"""What must hold for any cues, and single repairs that a reader can follow."""

from __future__ import annotations

import json
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.check import clean_text, find_in_cues
from subvino.cues import PROFILES, CueRules, rules_for
from subvino.fix import Fixed, FixOptions, fix_cues, fix_transcript
from subvino.formats import read, write
from subvino.subtitles import RawCue
from subvino.transcript import Segment, Transcript, Word

RULES_EN = rules_for("default", "en")
EN = FixOptions("en")
LONG = (
    "Her mother wished her to learn music, and Catherine was sure she should like it, "
    "for she was very fond of tinkling the keys of the old forlorn spinnet."
)


def raw(fixed: Fixed) -> list[RawCue]:
    return [RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in fixed.subtitles.cues]


def squeezed(text: str) -> str:
    return "".join(text.split())


def said(cues: list[RawCue]) -> str:
    """All that the cues say, in the order of their in-times, once where two say it at once."""
    texts: list[tuple[int, str]] = []
    for cue in sorted(cues, key=lambda cue: (max(cue.start_ms, 0), _shown_until(cue))):
        row = max(cue.start_ms, 0), squeezed(clean_text(cue.text))
        if row not in texts:
            texts.append(row)
    return "".join(text for _, text in texts)


def _shown_until(cue: RawCue) -> int:
    start_ms = max(cue.start_ms, 0)
    return cue.end_ms if cue.end_ms > start_ms else start_ms + 1000


def broken(cues: list[RawCue], rules: CueRules = RULES_EN, language: str = "en") -> list[str]:
    return [finding.rule for finding in find_in_cues(cues, rules, language)]


# --- any cues -----------------------------------------------------------------------------------

WORD = st.sampled_from(
    (
        "the", "a", "of", "I", "and", "house,", "never.", "Gentlemen", "extraordinarily", "no?",
        "Mr.", "Baker", "1984", "<i>so</i>", "&amp;", "-", "–Yes", "♪", "日本語のテスト。", "東京",
        "ไม่", "Straße", "‘quoted’", "[music]", "don't",
    )
)  # fmt: skip
TEXT = st.lists(st.tuples(WORD, st.sampled_from([" ", " ", "  ", "\n"])), max_size=24).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


@st.composite
def files(draw: st.DrawFn) -> list[RawCue]:
    """Cues that mostly follow each other; gaps below 0 overlap, durations below 0 are wrong."""
    cues, now = [], draw(st.integers(0, 5000))
    for number in range(draw(st.integers(0, 9))):
        duration = draw(st.sampled_from([-50, 0, 40, 300, 700, 1200, 2500, 6000, 15_000]))
        cues.append(RawCue(now, now + duration, f"{number} {draw(TEXT)}" if number % 5 else ""))
        now = max(now + duration + draw(st.sampled_from([-900, 0, 10, 83, 200, 450, 3000])), 0)
    return cues


@settings(max_examples=80, deadline=None)
@given(files(), st.sampled_from(sorted(PROFILES)), st.sampled_from(["en", "de", "ja", ""]))
def test_no_word_is_lost_and_nothing_changes_when_fixed_again(
    cues: list[RawCue], profile: str, language: str
) -> None:
    rules = rules_for(profile, language)
    fixed = fix_cues(cues, rules, FixOptions(language))
    assert said(raw(fixed)) == said(cues)
    again = fix_cues(raw(fixed), rules, FixOptions(language))
    assert again.subtitles == fixed.subtitles
    assert again.changes == ()


@settings(max_examples=40, deadline=None)
@given(files(), st.sampled_from(["srt", "vtt", "ttml"]))
def test_a_fixed_file_is_the_same_when_it_is_read_and_fixed_again(
    cues: list[RawCue], name: str
) -> None:
    fixed = fix_cues(cues, RULES_EN, EN)
    if not fixed.subtitles.cues:
        return
    text = write(fixed.subtitles, name)
    again = fix_cues(read(text.encode()).cues, RULES_EN, EN)
    assert write(again.subtitles, name) == text


@settings(max_examples=40, deadline=None)
@given(files(), st.lists(st.floats(0, 60), max_size=12).map(sorted))
def test_in_times_on_speech_change_no_word_and_stay(
    cues: list[RawCue], onsets: list[float]
) -> None:
    fixed = fix_cues(cues, RULES_EN, FixOptions("en", tuple(onsets)))
    assert said(raw(fixed)) == said(cues)
    assert (
        fix_cues(raw(fixed), RULES_EN, FixOptions("en", tuple(onsets))).subtitles == fixed.subtitles
    )


@settings(max_examples=50, deadline=None)
@given(files())
def test_what_a_rule_alone_can_repair_is_never_left(cues: list[RawCue]) -> None:
    left = set(broken(raw(fix_cues(cues, RULES_EN, EN))))
    assert left.isdisjoint({"order", "overlap", "empty", "no_duration", "markup"})


# --- single repairs -----------------------------------------------------------------------------


def test_good_cues_stay_to_the_letter() -> None:
    cues = [
        RawCue(1000, 3000, "We walked for hours\nto the old mill."),
        RawCue(3083, 5000, "- Who goes there?\n- A friend."),
        RawCue(8000, 10_000, "He left."),
    ]
    fixed = fix_cues(cues, RULES_EN, EN)
    assert raw(fixed) == cues
    assert fixed.changes == ()


def test_a_gap_that_is_too_small_or_flickers_is_closed_by_the_out_time() -> None:
    cues = [RawCue(0, 2000, "One."), RawCue(2010, 4000, "Two."), RawCue(4300, 6000, "Three.")]
    fixed = fix_cues(cues, RULES_EN, EN)
    assert [cue.end_ms for cue in fixed.subtitles.cues] == [2010 - 83, 4300 - 83, 6000]
    assert [(change.kind, change.cue) for change in fixed.changes] == [("end", 1), ("end", 2)]


def test_a_cue_too_short_to_read_stays_until_it_is_read_or_the_next_comes() -> None:
    cues = [
        RawCue(0, 100, "No."),
        RawCue(5000, 5500, "I never saw him before."),
    ]
    fixed = fix_cues(cues, RULES_EN, EN)
    assert [cue.end_ms for cue in fixed.subtitles.cues] == [833, 5000 + 23 * 50]


def test_long_lines_are_broken_anew_at_the_same_times() -> None:
    fixed = fix_cues([RawCue(0, 4000, LONG[:79])], RULES_EN, EN)
    lines = ("Her mother wished her to learn music,", "and Catherine was sure she should like it")
    assert raw(fixed) == [RawCue(0, 4000, "\n".join(lines))]
    assert [change.kind for change in fixed.changes] == ["lines"]


def test_a_cue_with_too_much_text_is_cut_over_its_own_time() -> None:
    fixed = fix_cues([RawCue(0, 12_000, LONG), RawCue(14_000, 15_000, "So.")], RULES_EN, EN)
    first, second, last = raw(fixed)
    assert first.text.replace("\n", " ").endswith("like it,")
    assert 5000 < second.start_ms < 7500
    assert second.end_ms == 12_000
    assert last.start_ms == 14_000
    assert broken(raw(fixed)) == []


def test_flashes_are_joined_with_their_neighbours() -> None:
    cues = [
        RawCue(0, 300, "And now"), RawCue(310, 600, "the winner"), RawCue(610, 2500, "is Maria."),
    ]  # fmt: skip
    fixed = fix_cues(cues, RULES_EN, EN)
    assert raw(fixed) == [RawCue(0, 2500, "And now the winner is Maria.")]
    assert {change.kind for change in fixed.changes} == {"joined"}


def test_a_short_text_shown_too_long_goes_out_earlier() -> None:
    fixed = fix_cues([RawCue(0, 20_000, "He left early today.")], RULES_EN, EN)
    assert raw(fixed) == [RawCue(0, 7000, "He left early today.")]


def test_two_speakers_are_parted_and_never_put_on_one_line() -> None:
    text = f"- {LONG[:60]}\n- {LONG[60:120]}"
    fixed = fix_cues([RawCue(0, 8000, text)], RULES_EN, EN)
    cues = raw(fixed)
    assert len(cues) == 2
    assert all(cue.text.startswith("- ") and cue.text.count("- ") == 1 for cue in cues)


def test_overlaps_end_and_order_is_made() -> None:
    cues = [RawCue(5000, 7000, "Later."), RawCue(0, 5600, "Sooner.")]
    fixed = fix_cues(cues, RULES_EN, EN)
    assert raw(fixed) == [RawCue(0, 5000 - 83, "Sooner."), RawCue(5000, 7000, "Later.")]
    assert [(change.kind, change.cue) for change in fixed.changes[:2]] == [
        ("settled", 2), ("settled", 2)
    ]  # fmt: skip


def test_leftovers_are_taken_out_and_told() -> None:
    fixed = fix_cues([RawCue(0, 2000, "&lt;i&gt;Fish  &amp; chips")], RULES_EN, EN)
    assert raw(fixed) == [RawCue(0, 2000, "Fish & chips")]
    (change,) = fixed.changes
    assert (change.kind, change.note) == ("text", "'&lt;i&gt;Fish  &amp; chips' → 'Fish & chips'")


def test_in_times_move_onto_speech_that_is_near_and_no_further() -> None:
    cues = [RawCue(1200, 3000, "One thing."), RawCue(5000, 7000, "Another.")]
    fixed = fix_cues(cues, RULES_EN, FixOptions("en", (1.0, 5.5), 0.3))
    assert [cue.start_ms for cue in fixed.subtitles.cues] == [1000, 5000]
    assert [(c.kind, c.note) for c in fixed.changes] == [("start", "0:00:01.200 → 0:00:01.000")]


def test_a_transcript_is_cut_by_the_times_of_its_words() -> None:
    texts = LONG.split()
    words = tuple(Word(f" {t}", n * 0.4, n * 0.4 + 0.35, 1.0) for n, t in enumerate(texts))
    transcript = Transcript((Segment(LONG, 0, 12, words),), "en", 1.0, 15.0)
    fixed = fix_transcript(transcript, RULES_EN)
    starts = {round(word.start * 1000) for word in words}
    assert len(fixed.subtitles.cues) > 1
    assert all(cue.start_ms in starts for cue in fixed.subtitles.cues)
    assert broken(raw(fixed)) == []
    assert fixed.changes[0].note.startswith("1 segment → ")
    assert fix_cues(raw(fixed), RULES_EN, EN).changes == ()


def test_what_was_changed_is_told_as_json() -> None:
    fixed = fix_cues([RawCue(0, 100, "No.")], RULES_EN, EN)
    assert json.loads(fixed.to_json(file="a.srt")) == {
        "file": "a.srt",
        "n_cues": 1,
        "n_changes": 1,
        "changes": [{"kind": "end", "cue": 1, "time_ms": 0, "note": "0:00:00.100 → 0:00:00.833"}],
    }


def test_a_file_of_bad_cues_is_fixed_in_seconds() -> None:
    texts = [LONG[n % 40 : n % 40 + 30 + n % 90] for n in range(150)]
    cues = [RawCue(n * 4000, n * 4000 + 3950, text) for n, text in enumerate(texts)]
    begin = time.process_time()
    fixed = fix_cues(cues, RULES_EN, EN)
    assert time.process_time() - begin < 20
    assert len(broken(raw(fixed))) < len(broken(cues)) / 3
