from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.bilingual import pair_cues
from subvino.cues import CueRules, rules_for
from subvino.transcript import Segment, Transcript, Word

GERMAN = "Das alte Haus stand leer. Niemand wusste, wem es gehörte. Am Sonntag gingen wir hinein."
ENGLISH = "The old house stood empty. Nobody knew who owned it. On Sunday we went in."


def said(text: str, language: str, task: str, pace: float = 0.35) -> Transcript:
    words = tuple(
        Word(f" {word}", at * pace, (at + 1) * pace, 1.0) for at, word in enumerate(text.split())
    )
    end = words[-1].end if words else 0.0
    segments = (Segment(text, 0.0, end, words),) if words else ()
    spoken = Transcript(segments, language, 1.0, end + 2)
    return (
        spoken
        if task == "transcribe"
        else Transcript(segments, language, 1.0, end + 2, task="translate")
    )


def test_each_sentence_stands_above_its_translation() -> None:
    pace = len(GERMAN.split()) * 0.35 / len(ENGLISH.split())
    pairs = pair_cues(
        said(GERMAN, "de", "transcribe"),
        said(ENGLISH, "de", "translate", pace),
        rules_for("default", "de"),
        rules_for("default", "en"),
    )
    assert [cue.lines for cue in pairs.cues] == [
        ("Das alte Haus stand leer.", "The old house stood empty."),
        ("Niemand wusste, wem es gehörte.", "Nobody knew who owned it."),
        ("Am Sonntag gingen wir hinein.", "On Sunday we went in."),
    ]
    assert pairs.language == "de"


WORDS = st.lists(st.sampled_from(["eins", "zwei,", "drei.", "und", "日本。"]), max_size=40)


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS, st.integers(10, 42), st.integers(1, 4))
def test_no_word_of_either_is_lost_or_moved(
    spoken: list[str], translated: list[str], max_chars: int, max_lines: int
) -> None:
    rules = CueRules(max_chars=max_chars, max_lines=max_lines)
    above, below = (
        said(" ".join(spoken), "de", "transcribe"),
        said(" ".join(translated), "de", "translate"),
    )
    pairs = pair_cues(above, below, rules)
    shown = "".join("".join("".join(cue.lines).split()) for cue in pairs.cues)
    assert sorted(shown) == sorted("".join(spoken + translated))
    plain = pair_cues(above, said("", "de", "translate"), rules).cues
    if spoken:
        for cue, alone in zip(pairs.cues, plain, strict=True):
            assert cue.lines[: len(alone.lines)] == alone.lines
            assert (cue.start_ms, cue.end_ms) == (alone.start_ms, alone.end_ms)
        rest = [
            line
            for cue, alone in zip(pairs.cues, plain, strict=True)
            for line in cue.lines[len(alone.lines) :]
        ]
        assert "".join("".join(rest).split()) == "".join(translated)
