from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.audio import SAMPLE_RATE, SpeechSegment, Window, WindowSound
from subvino.formats import read
from subvino.pipeline import Transcriber, decoding_options
from subvino.recognizer import WindowResult
from subvino.text_alignment import GivenText, Placing, align_windows, place_words
from subvino.transcript import Segment, Word
from tests.clips import FOLDER
from tests.test_vad import WORDS

DATA = Path(__file__).parent / "data" / "sync"
TEXTS = st.lists(st.sampled_from(["one", "two.", "three", "日本の", "\n", "ไทย"]), max_size=40)


class EvenAligner:
    """Gives each word the same share of its window."""

    def align(self, sound: WindowSound, words: Sequence[str], language: str) -> list[Word]:
        window = sound.window
        step = window.duration / max(len(words), 1)
        return [
            Word(word, window.start + at * step, window.start + (at + 1) * step, 1.0)
            for at, word in enumerate(words)
        ]


def windows(n: int) -> list[Window]:
    return [Window((SpeechSegment(10.0 * i, 10.0 * i + 8),)) for i in range(n)]


def heard_in(window: Window, text: str) -> WindowResult:
    segments = (Segment(text, window.start, window.end),) if text else ()
    return WindowResult(window, segments, "en", 1.0)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
def test_every_given_word_is_in_the_transcript_in_its_order(
    text: list[str], heard: list[list[str]]
) -> None:
    given_text = GivenText.of(" ".join(text))
    spans = windows(len(heard))
    results = [
        heard_in(window, " ".join(words).strip())
        for window, words in zip(spans, heard, strict=True)
    ]
    placing = place_words(given_text, results)
    assert list(placing.windows) == sorted(placing.windows)
    sounds = [
        WindowSound(window, np.zeros(round(window.duration * SAMPLE_RATE), np.float32))
        for window in spans
    ]
    segments = list(align_windows(given_text, placing, sounds, EvenAligner(), "en"))
    said = "".join(word.text for one in segments for word in one.words or ())
    assert "".join(said.split()) == "".join("".join(text).split())
    starts = [word.start for one in segments for word in one.words or ()]
    assert starts == sorted(starts)


def test_words_go_to_the_window_in_which_they_were_heard() -> None:
    first, second = windows(2)
    results = [heard_in(first, "The old house was"), heard_in(second, "full of gray mice.")]
    text = GivenText.of("The old cottage was\nfilled full of grey mice.")
    placing = place_words(text, results)
    assert placing.windows[:4] == (0, 0, 0, 0)
    assert placing.windows[5:] == (1, 1, 1, 1)
    assert placing.n_heard == 6


def test_where_nothing_was_heard_no_word_counts_as_heard() -> None:
    assert place_words(GivenText.of("one two"), [heard_in(windows(1)[0], "")]) == Placing((0, 0), 0)


@pytest.mark.model
def test_lines_of_a_poem_are_said_when_others_found_them_to_be(
    load_once: Callable[..., Transcriber], real_models: Path
) -> None:
    lines = read((DATA / "sonnet1.srt").read_bytes()).cues
    text = "\n".join(line.text for line in lines)
    aligned = load_once("tiny.en").align(DATA / "sonnet1.opus", text, decoding_options("en"))
    words = [word for one in aligned.transcript.segments for word in one.words or ()]
    assert "".join(word.text for word in words).split() == text.split()
    assert aligned.n_heard > 0.8 * aligned.n_words
    first = np.cumsum([0] + [len(line.text.split()) for line in lines])
    errors = [
        abs(1000 * words[at].start - line.start_ms) for at, line in zip(first, lines, strict=False)
    ]
    assert median(errors) <= 60
    assert sum(error <= 100 for error in errors) >= 11


@pytest.mark.model
def test_known_words_are_said_when_a_speech_corpus_has_them(
    load_once: Callable[..., Transcriber], real_models: Path
) -> None:
    reference = {start: word for word, start, _ in WORDS}
    aligned = load_once("base").align(
        FOLDER / "nathalie_97.flac", " ".join(reference.values()), decoding_options("nl")
    )
    words = [word for one in aligned.transcript.segments for word in one.words or ()]
    assert [word.text.strip() for word in words] == list(reference.values())
    errors = [abs(word.start - start) for word, start in zip(words, reference, strict=True)]
    assert median(errors) <= 0.05
    assert max(errors) <= 0.2
