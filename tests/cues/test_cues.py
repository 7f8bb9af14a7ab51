import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.cues import PROFILES, CueRules, Violation, build_cues, rules_for, violations
from subvino.errors import OptionError
from subvino.linebreak import split_words, text_width
from subvino.subtitles import Cue, Subtitles
from subvino.transcript import Segment, Transcript, Word


def spoken(
    text: str, language: str = "en", cps: float = 14.0, pauses: Mapping[str, float] | None = None
) -> Transcript:
    """A transcript of one segment said at an even pace, with pauses after the words given."""
    now, words = 0.0, []
    for unit in split_words(text):
        end = now + len(unit) / cps
        words.append(Word(unit, round(now, 3), round(end, 3), 1.0))
        now = end + (pauses or {}).get(unit.strip(), 0.0)
    return Transcript((Segment(text, 0.0, now, tuple(words)),), language, 1.0, now + 5)


def texts(subtitles: Subtitles) -> list[tuple[str, ...]]:
    return [cue.lines for cue in subtitles.cues]


def squeezed(text: str) -> str:
    return "".join(text.split())


# --- typical cases ---------------------------------------------------------------------------


def test_a_short_sentence_is_one_cue_on_one_line() -> None:
    subtitles = build_cues(spoken("Her complexion improved."))
    assert texts(subtitles) == [("Her complexion improved.",)]
    assert subtitles.cues[0].start_ms == 0


def test_two_sentences_with_a_pause_become_two_cues() -> None:
    text = "She had no notion of drawing. At present she did not know her own poverty."
    subtitles = build_cues(spoken(text, pauses={"drawing.": 0.5}))
    assert texts(subtitles)[0] == ("She had no notion of drawing.",)
    assert len(subtitles.cues) == 2


def test_a_long_sentence_is_cut_at_its_comma_and_not_before_its_last_word() -> None:
    text = (
        "Her mother wished her to learn music, and Catherine was sure she should like it, "
        "for she was very fond of tinkling the keys of the old forlorn spinnet."
    )
    assert texts(build_cues(spoken(text))) == [
        ("Her mother wished her to learn music,", "and Catherine was sure she should like it,"),
        ("for she was very fond of tinkling", "the keys of the old forlorn spinnet."),
    ]


def test_no_cue_ends_on_the_first_word_of_the_next_sentence() -> None:
    text = "We went home at once. He was tired after the long walk in the rain and fell asleep."
    for cue in build_cues(spoken(text)).cues:
        assert cue.lines[-1].split()[-1] not in ("He", "was")


def test_a_pause_inside_a_phrase_parts_the_cues() -> None:
    subtitles = build_cues(spoken("And now the winner is Maria Lopez", pauses={"is": 1.8}))
    assert texts(subtitles) == [("And now the winner is",), ("Maria Lopez",)]


def test_a_short_answer_does_not_flash_by() -> None:
    subtitles = build_cues(spoken("No. I never saw him before that day."))
    assert all(cue.duration_ms >= 833 for cue in subtitles.cues)


def test_a_segment_without_words_is_spread_over_its_time() -> None:
    text = "This little work was finished in the year 1803, and intended for publication at once."
    transcript = Transcript((Segment(text, 10.0, 16.0),), "en", 1.0, 60.0)
    cues = build_cues(transcript).cues
    assert cues[0].start_ms == 10_000
    assert " ".join(line for cue in cues for line in cue.lines) == text
    assert 15_900 <= cues[-1].end_ms <= 17_000


def test_words_without_their_spaces_get_them_from_the_text() -> None:
    words = tuple(Word(text, at / 2, at / 2 + 0.5, 1.0) for at, text in enumerate(["a", "b", "c"]))
    transcript = Transcript((Segment("a b c", 0.0, 1.5, words),), "en", 1.0, 5.0)
    assert texts(build_cues(transcript)) == [("a b c",)]


def test_segments_are_joined_by_a_space_but_not_in_chinese() -> None:
    def pair(first: str, second: str, language: str) -> Transcript:
        return Transcript((Segment(first, 0.0, 0.5), Segment(second, 0.5, 1.0)), language, 1.0, 5.0)

    assert texts(build_cues(pair("one", "two", "en"))) == [("one two",)]
    assert texts(build_cues(pair("一样", "两个", "zh"))) == [("一样两个",)]


def test_segments_are_only_a_hint() -> None:
    words = spoken("The old house stood at the end of the lane.").segments[0].words or ()
    halves = (words[:2], words[2:])
    transcript = Transcript(
        tuple(
            Segment("".join(w.text for w in half).strip(), half[0].start, half[-1].end, half)
            for half in halves
        ),
        "en",
        1.0,
        10.0,
    )
    assert len(build_cues(transcript).cues) == 1


def test_chinese_follows_its_own_width_and_begins_no_line_with_punctuation() -> None:
    text = "秋天总是那么富有诗意。树叶渐渐变红，街道旁的银杏树也开始落叶。人们穿上厚重的外套。"
    subtitles = build_cues(spoken(text, "zh", cps=4))
    assert squeezed("".join("".join(cue.lines) for cue in subtitles.cues)) == text
    for line in itertools.chain(*texts(subtitles)):
        assert text_width(line) <= 16
        assert line[0] not in "。，"


def test_korean_counts_spaces_as_half() -> None:
    rules = rules_for("netflix", "ko")
    subtitles = build_cues(
        spoken("그는 이리저리 피하면서 길 한 옆으로 걸어갔다.", "ko", cps=5), rules
    )
    assert violations(subtitles, rules) == ()


def test_cue_words_carry_their_times_inside_the_cue() -> None:
    for cue in build_cues(spoken("We choose to go to the moon, not because it is easy.")).cues:
        assert "".join(word.text for word in cue.words).split() == " ".join(cue.lines).split()
        times = [time for word in cue.words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert cue.start_ms <= times[0] <= times[-1] <= cue.end_ms


def test_a_translation_is_cut_as_english() -> None:
    transcript = replace(spoken("Hello.", language="ja"), task="translate")
    assert build_cues(transcript).language == "en"


# --- times -----------------------------------------------------------------------------------


def test_gaps_shorter_than_half_a_second_close_to_two_frames() -> None:
    text = "She had no notion of drawing. At present she did not know her own poverty."
    first, second = build_cues(spoken(text, pauses={"drawing.": 0.4})).cues
    assert second.start_ms - first.end_ms == CueRules().min_gap_ms == 83


def test_a_cue_lingers_for_reading_but_no_longer_than_allowed() -> None:
    fast = spoken("Incomprehensibilities notwithstanding, go.", cps=40)
    end = fast.segments[0].end
    (cue,) = build_cues(fast, CueRules(max_linger_ms=300)).cues
    assert cue.end_ms == round(end * 1000) + 300
    (cue,) = build_cues(fast, CueRules(max_linger_ms=5000)).cues
    assert cue.duration_ms == round(len(cue.lines[0]) * 1000 / 20)


def test_no_cue_lingers_over_a_shot_change() -> None:
    words = spoken("Incomprehensibilities notwithstanding, go.", cps=40)
    (cue,) = build_cues(words, shot_changes=[1.5]).cues
    assert cue.end_ms == 1500 - 83


def test_an_in_time_just_after_a_shot_change_moves_onto_it() -> None:
    transcript = Transcript((Segment("Good morning to you.", 2.3, 4.0),), "en", 1.0, 9.0)
    assert build_cues(transcript, shot_changes=[2.0]).cues[0].start_ms == 2000
    assert build_cues(transcript, shot_changes=[1.0]).cues[0].start_ms == 2300


def test_a_word_that_lasts_too_long_is_shown_for_the_longest_time() -> None:
    transcript = Transcript((Segment("Aaah", 0.0, 30.0),), "en", 1.0, 60.0)
    assert build_cues(transcript).cues[0].end_ms == 7000


def test_speech_too_fast_to_read_is_listed_and_whole() -> None:
    transcript = spoken(
        "We must go there now and not one moment later than that, all of us.", cps=45
    )
    transcript = replace(transcript, duration=transcript.segments[0].end)
    rules = rules_for("netflix", "en")
    subtitles = build_cues(transcript, rules)
    assert {found.rule for found in violations(subtitles, rules)} == {"max_cps"}
    assert " ".join(" ".join(cue.lines) for cue in subtitles.cues) == transcript.text


# --- rules and profiles ----------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("language", "text", "cps"),
    [
        ("en", "The old house had been empty for years, and nobody knew who owned it. " * 8, 13),
        ("ru", "Вы сможете перемещаться по данной демонстрации при помощи кнопок. " * 8, 12),
        ("ar", "ذهبت إلى المدرسة في الصباح ثم عدت إلى البيت مساء. " * 8, 12),
        ("ja", "秋の空はとても高く、山の木々が少しずつ赤くなっていきました。" * 8, 6),
        ("th", "ฉันไปโรงเรียนทุกวัน และกลับบ้านตอนเย็น " * 8, 10),
        ("ko", "마을 끝에 있는 오래된 집은 여러 해 동안 비어 있었다. " * 8, 6),
    ],
)
def test_ordinary_speech_obeys_every_profile_in_every_script(
    profile: str, language: str, text: str, cps: float
) -> None:
    rules = rules_for(profile, language)
    subtitles = build_cues(spoken(text.strip(), language, cps=cps), rules)
    # Words cut at the longest duration may leave a gap that can't be closed; all else holds.
    hard = [found for found in violations(subtitles, rules) if found.rule != "chain_gap_ms"]
    slow = [found for found in hard if found.rule not in ("max_wpm", "max_cps")]
    assert slow == []
    assert len(hard) <= len(subtitles.cues) // 10


def test_a_profile_that_is_not_there_is_refused_with_the_list() -> None:
    with pytest.raises(OptionError, match="bbc-vertical"):
        rules_for("nobody")


def test_a_region_does_not_change_the_language() -> None:
    assert rules_for("netflix", "zh-TW") == rules_for("netflix", "zh")


@pytest.mark.parametrize(
    "make",
    [
        lambda: CueRules(max_chars=0),
        lambda: CueRules(max_lines=0),
        lambda: CueRules(max_cps=float("nan")),
        lambda: CueRules(min_duration_ms=9000),
    ],
)
def test_rules_that_make_no_sense_are_refused(make: Callable[[], CueRules]) -> None:
    with pytest.raises(OptionError):
        make()


def test_violations_name_cue_rule_and_numbers() -> None:
    subtitles = Subtitles(
        (
            Cue(0, 500, ("x" * 43,)),
            Cue(520, 9000, ("a", "b", "c")),
            Cue(9200, 10_200, ("Fine.",)),
        )
    )
    assert violations(subtitles, CueRules()) == (
        Violation(0, "max_chars", 43.0, 42),
        Violation(0, "max_cps", 86.0, 20),
        Violation(0, "min_duration_ms", 500, 833),
        Violation(0, "min_gap_ms", 20, 83),
        Violation(1, "max_lines", 3, 2),
        Violation(1, "max_duration_ms", 8480, 7000),
        Violation(1, "chain_gap_ms", 200, 500),
    )


# --- properties ------------------------------------------------------------------------------

WORD_TEXTS = st.one_of(
    st.sampled_from(
        [
            "the",
            "a",
            "of",
            "and",
            "I",
            "Mr.",
            "London",
            "house.",
            "yes,",
            "no?",
            "1803",
            "%",
            "»",
            "«",
            "–",
            "...",
            "日本の",
            "。",
            "「",
            "ー",
            "ไทย",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=15),
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Words at any time: overlapping, at once, out of order, glued, with long pauses."""
    segments = []
    now = 0.0
    for _ in range(draw(st.integers(0, 4))):
        words = []
        for _ in range(draw(st.integers(0, 12))):
            now = max(0.0, now + draw(st.sampled_from([0, 0, 0, 0.1, 0.4, 3.0, -0.5])))
            length = draw(st.sampled_from([0.0, 0.02, 0.2, 0.5, 9.0]))
            space = draw(st.sampled_from([" ", " ", " ", ""]))
            words.append(Word(space + draw(WORD_TEXTS), now, now + length, 0.5))
            now += min(length, 1.0)
        text = "".join(word.text for word in words).strip()
        if not words:
            text = draw(st.sampled_from(["", "no times for these words, none at all"]))
        segments.append(Segment(text, now, now + 1.0, tuple(words) if words else None))
    language = draw(st.sampled_from(["en", "de", "ru", "zh", "ja", "th", "ko", "ar", "xx"]))
    return Transcript(tuple(segments), language, 1.0, draw(st.sampled_from([0.0, 1.0, 60.0])))


RULES = st.one_of(
    st.sampled_from([profile.rules for profile in PROFILES.values()]),
    st.builds(
        CueRules,
        max_chars=st.integers(1, 60),
        max_lines=st.integers(1, 4),
        max_cps=st.floats(1, 40),
        min_duration_ms=st.integers(0, 2000),
        max_duration_ms=st.integers(2000, 10_000),
        min_gap_frames=st.integers(0, 5),
        chain_gap_ms=st.integers(0, 1000),
        max_linger_ms=st.integers(0, 3000),
    ),
)
SHOTS = st.lists(st.floats(0, 30), max_size=5)


def all_text(transcript: Transcript) -> str:
    return "".join(
        squeezed("".join(word.text for word in segment.words) if segment.words else segment.text)
        for segment in transcript.segments
    )


@settings(max_examples=1000, deadline=None)
@given(transcripts(), RULES, SHOTS)
def test_no_word_is_lost_or_moved_and_the_hard_rules_hold(
    transcript: Transcript, rules: CueRules, shots: list[float]
) -> None:
    subtitles = build_cues(transcript, rules, shot_changes=shots)
    assert squeezed("".join("".join(cue.lines) for cue in subtitles.cues)) == all_text(transcript)
    for cue in subtitles.cues:
        assert squeezed("".join(word.text for word in cue.words)) == squeezed("".join(cue.lines))
        assert len(cue.lines) <= rules.max_lines
        assert cue.duration_ms <= rules.max_duration_ms
        units = {unit.strip() for line in cue.lines for unit in split_words(line)}
        for line in cue.lines:
            assert text_width(line, rules.narrow_width) <= rules.max_chars or line in units
    for before, after in itertools.pairwise(subtitles.cues):
        assert after.start_ms - before.end_ms >= rules.min_gap_ms


@settings(max_examples=300, deadline=None)
@given(transcripts(), RULES)
def test_no_cue_comes_in_before_its_speech_begins(transcript: Transcript, rules: CueRules) -> None:
    begins = [
        round(word.start * 1000)
        for segment in transcript.segments
        for word in segment.words or (Word(segment.text, segment.start, segment.end, 1.0),)
        for _ in squeezed(word.text)
    ]
    offset = 0
    for cue in build_cues(transcript, rules).cues:
        assert cue.start_ms >= begins[offset]
        assert cue.words[0].start_ms >= cue.start_ms
        offset += len(squeezed(cue.text))


def test_an_hour_of_speech_without_a_pause_loses_no_word() -> None:
    line = "The old house, which stood at the end of the lane, had been empty for years. "
    transcript = spoken((line * 660).strip())
    assert transcript.duration > 3600
    cues = build_cues(transcript).cues
    assert squeezed("".join(cue.text for cue in cues)) == squeezed(line * 660)
