import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.errors import SubtitleFileError
from subvino.transcript import Segment, Transcript, Word

TIMES = st.integers(0, 10**8).map(lambda milliseconds: milliseconds / 1000)
SHARES = st.integers(0, 10_000).map(lambda share: share / 10_000)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float]:
    start, end = sorted((draw(TIMES), draw(TIMES)))
    return start, end


WORDS = st.builds(
    lambda text, span, share: Word(text, span[0], span[1], share), TEXT, spans(), SHARES
)
SEGMENTS = st.builds(
    lambda text, span, words, logprob, language, verdict: Segment(
        text, span[0], span[1], words, -logprob, logprob, logprob, 0.2, language, verdict
    ),
    TEXT,
    spans(),
    st.none() | st.lists(WORDS, max_size=3).map(tuple),
    SHARES,
    st.none() | st.just("de"),
    st.none() | st.just("silence"),
)
TRANSCRIPTS = st.builds(
    Transcript,
    st.lists(SEGMENTS, max_size=4).map(tuple),
    st.just("en"),
    SHARES,
    TIMES,
    TEXT,
    st.sampled_from(["transcribe", "translate"]),
    TEXT,
)


@given(TRANSCRIPTS)
def test_json_reads_back_the_same(transcript: Transcript) -> None:
    assert Transcript.from_json(transcript.to_json()) == transcript


def test_the_json_has_the_documented_form() -> None:
    word = Word(" Hi.", 0.1234, 0.5, 0.91)
    segment = Segment("Hi.", 0.1234, 0.5, (word,), -0.25, 0.01, 1.1, 0.0)
    transcript = Transcript((segment,), "en", 0.99, 2.0, "talk.mp4", "transcribe", "base")
    assert json.loads(transcript.to_json()) == {
        "media": "talk.mp4",
        "duration": 2.0,
        "language": "en",
        "language_probability": 0.99,
        "task": "transcribe",
        "model": "base",
        "segments": [
            {
                "start": 0.123,
                "end": 0.5,
                "text": "Hi.",
                "words": [{"text": " Hi.", "start": 0.123, "end": 0.5, "probability": 0.91}],
                "avg_logprob": -0.25,
                "no_speech_prob": 0.01,
                "compression_ratio": 1.1,
                "temperature": 0.0,
            }
        ],
    }


def test_the_text_of_a_translation_is_english() -> None:
    assert Transcript((), "ja", 1.0, 0.0, task="translate").text_language == "en"
    assert Transcript((), "ja", 1.0, 0.0).text_language == "ja"


def test_times_that_run_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        Word("a", 2.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="before it starts"):
        Segment("a", 2.0, 1.0)


def broken(**changes: object) -> str:
    row = json.loads(Transcript((Segment("a", 0.0, 1.0),), "en", 1.0, 1.0).to_json())
    return json.dumps({**row, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '"segments"',
        "{}",
        "[" * 100_000,
        '{"segments": ' * 100_000,
        broken(segments=None),
        broken(segments=[1]),
        broken(segments=[{"text": "a", "start": 0}]),
        broken(segments=[{"text": "a", "start": 2, "end": 1}]),
        broken(segments=[{"text": "a", "start": "0", "end": 1}]),
        broken(segments=[{"text": "a", "start": True, "end": 1}]),
        broken(segments=[{"text": "a", "start": 0, "end": 1, "words": {"a": 1}}]),
        broken(duration=float("nan")),
        broken(duration=float("inf")),
        broken(duration=1e300),
        broken(duration=10**400),
        broken(duration=0).replace('"duration": 0', '"duration": ' + "9" * 5000),
        broken(task="sing"),
    ],
)
def test_hostile_json_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SubtitleFileError) as found:
        Transcript.from_json(text, "x.json")
    assert str(found.value).startswith("x.json: ")
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 300
