"""The recognizer on real speech, against openai-whisper and transformers (tests/data/README.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from subvino.recognizer import DecodingOptions
from subvino.whisper import WhisperRecognizer
from subvino.whisper.attempt import Attempt
from subvino.whisper.decoding import Decoder
from tests.whisper.conftest import SPEECH, as_window, read_speech

pytestmark = pytest.mark.model

EXPECTED: dict[str, Any] = json.loads(
    (SPEECH.parent / "base_speech.json").read_text(encoding="utf-8")
)
CLIPS = sorted(EXPECTED)


def decode(
    recognizer: WhisperRecognizer, names: list[str], options: DecodingOptions
) -> list[Attempt]:
    """What was kept for each clip, one window each."""
    decoder = Decoder(recognizer.engine, recognizer.tokenizer, options)
    windows = decoder.decode(as_window(read_speech(name)) for name in names)
    return [window.parts[0].attempt for window in windows]


@pytest.mark.parametrize("name", CLIPS)
def test_greedy_tokens_are_those_of_the_reference(
    reference_recognizer: WhisperRecognizer, name: str
) -> None:
    expected = EXPECTED[name]
    options = DecodingOptions(language=expected["language"], temperatures=(0.0,), beam_size=1)
    (found,) = decode(reference_recognizer, [name], options)
    assert list(found.hypothesis.tokens) == expected["tokens"]
    assert found.hypothesis.avg_logprob == pytest.approx(expected["avg_logprob"], abs=1e-3)
    assert found.no_speech_prob == pytest.approx(expected["no_speech_prob"], abs=1e-3)
    assert found.compression_ratio == pytest.approx(expected["compression_ratio"], abs=0.02)


@pytest.mark.parametrize("name", CLIPS)
def test_language_probabilities_are_those_of_the_reference(
    reference_recognizer: WhisperRecognizer, name: str
) -> None:
    found = reference_recognizer.detect_language([as_window(read_speech(name))])
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)
    for code, probability in EXPECTED[name]["language_probabilities"].items():
        assert found[code] == pytest.approx(probability, abs=1e-3)


@pytest.mark.parametrize("width", [1, 3])
def test_a_batch_gives_the_tokens_of_each_window_alone(
    shipping_recognizer: WhisperRecognizer, width: int
) -> None:
    """In the precision that ships, whatever the batch size, in whatever company."""
    names = [name for name in CLIPS if EXPECTED[name]["language"] in ("en", "de", "fr")]
    together = decode(
        shipping_recognizer, names, DecodingOptions(language="en", beam_size=width, batch_size=16)
    )
    alone = [
        decode(shipping_recognizer, [name], DecodingOptions(language="en", beam_size=width))[0]
        for name in names
    ]
    assert together == alone


def test_windows_that_enter_late_get_the_same_text(shipping_recognizer: WhisperRecognizer) -> None:
    """More windows than slots: they enter as others leave."""
    names = [*CLIPS, *CLIPS[::-1]]
    options = DecodingOptions(language="en", batch_size=3)
    texts = [one.hypothesis.tokens for one in decode(shipping_recognizer, names, options)]
    assert texts == texts[::-1]


def test_a_window_that_is_decoded_again_does_not_disturb_the_others(
    shipping_recognizer: WhisperRecognizer,
) -> None:
    """Noise fails the gates at every temperature; what is said beside it stays the same."""
    noise = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    name = "ls_61-70968-0000"
    options = DecodingOptions(language="en", batch_size=4, min_avg_logprob=-0.45, beam_size=1)
    decoder = Decoder(shipping_recognizer.engine, shipping_recognizer.tokenizer, options)
    windows = decoder.decode(
        [as_window(read_speech(name)), as_window(noise), as_window(read_speech(name))]
    )
    first, second, third = (window.parts[0].attempt for window in windows)
    assert first == third
    assert first.temperature == 0.0
    assert second.hypothesis.tokens != first.hypothesis.tokens


def test_sampling_is_the_same_from_run_to_run(shipping_recognizer: WhisperRecognizer) -> None:
    options = DecodingOptions(language="en", temperatures=(0.8,), batch_size=2, beam_size=1)
    runs = [decode(shipping_recognizer, CLIPS[:2], options) for _ in range(2)]
    assert runs[0] == runs[1]


def test_beam_search_finds_likelier_text_than_greedy(
    shipping_recognizer: WhisperRecognizer,
) -> None:
    gains = []
    for name in CLIPS:
        language = EXPECTED[name]["language"]
        greedy, beams = (
            decode(
                shipping_recognizer, [name], DecodingOptions(language=language, beam_size=width)
            )[0]
            for width in (1, 5)
        )
        gains.append(beams.hypothesis.sum_logprob - greedy.hypothesis.sum_logprob)
    assert sum(gains) > 0


def test_the_language_is_detected_over_several_windows(
    shipping_recognizer: WhisperRecognizer,
) -> None:
    sounds = [as_window(read_speech("de_rhasspy-0219")) for _ in range(3)]
    results = list(shipping_recognizer.recognize(sounds, DecodingOptions()))
    assert {result.language for result in results} == {"de"}
    assert results[0].language_probability > 0.9


def test_translation_gives_english(shipping_recognizer: WhisperRecognizer) -> None:
    sound = as_window(read_speech("fr_vm-saveoper"))
    (result,) = shipping_recognizer.recognize([sound], DecodingOptions(task="translate"))
    words = " ".join(segment.text for segment in result.segments).lower()
    assert result.language == "fr"
    assert "press" in words or "number" in words or "message" in words, words


@pytest.mark.parametrize("name", CLIPS)
def test_word_times_are_near_those_of_the_reference(
    reference_recognizer: WhisperRecognizer, name: str
) -> None:
    """openai-whisper's are of attention alone; ours are moved to the sound, so not the same."""
    options = DecodingOptions(
        language=EXPECTED[name]["language"],
        temperatures=(0.0,),
        beam_size=1,
        chinese="as-heard",
    )
    (result,) = reference_recognizer.recognize([as_window(read_speech(name))], options)
    found = [word for segment in result.segments for word in segment.words or ()]
    expected = EXPECTED[name]["words"]
    assert [word.text.strip() for word in found] == [row[0].strip() for row in expected]
    differences = [
        abs(word.start - row[1]) for word, row in zip(found[1:], expected[1:], strict=True)
    ]
    assert np.median(differences) <= 0.1
    probabilities = [word.probability for word in found]
    assert probabilities == pytest.approx([row[3] for row in expected], abs=0.25)


def test_words_make_the_text_of_their_segment(shipping_recognizer: WhisperRecognizer) -> None:
    sounds = [as_window(read_speech(name), 100.0 * i) for i, name in enumerate(CLIPS)]
    for result in shipping_recognizer.recognize(sounds, DecodingOptions(language="en")):
        clock = result.window.start
        for segment in result.segments:
            words = segment.words or ()
            assert "".join(word.text for word in words).strip() == segment.text
            assert segment.start == words[0].start
            for word in words:
                assert clock <= word.start <= word.end <= result.window.end + 1e-6
                clock = word.end


def test_nothing_of_a_window_is_lost_or_doubled(
    shipping_recognizer: WhisperRecognizer,
) -> None:
    """Two sentences in one window: both are there, and neither twice."""
    sentence = read_speech("ls_61-70968-0000")
    speech = np.concatenate([sentence, np.zeros(8_000, np.float32), read_speech("p225_020")])
    (result,) = shipping_recognizer.recognize([as_window(speech)], DecodingOptions(language="en"))
    text = " ".join(segment.text for segment in result.segments).lower()
    assert "curtain" in text
    assert "rainbow" in text
    assert text.count("rainbow") == 1


def test_a_prompt_is_heeded_and_never_said(shipping_recognizer: WhisperRecognizer) -> None:
    """Names in the prompt change the spelling; over sound without words nothing of it appears."""
    prompt = "Gelantine, Hildegard, Brunhilde and Kriemhild came to the annual meeting."
    noise = np.random.default_rng(1).normal(0, 0.05, 64_000).astype(np.float32)
    sounds = [as_window(read_speech("p225_020")), as_window(noise)]
    options = DecodingOptions(language="en", prompt=prompt)
    for result in shipping_recognizer.recognize(sounds, options):
        for segment in result.segments:
            assert "Kriemhild came to the" not in segment.text


def test_each_window_may_have_its_language(shipping_recognizer: WhisperRecognizer) -> None:
    names = ["ls_61-70968-0000", "de_rhasspy-0219", "de_rhasspy-0219", "ls_61-70968-0000"]
    sounds = [as_window(read_speech(name), 50.0 * i) for i, name in enumerate(names)]
    results = list(shipping_recognizer.recognize(sounds, DecodingOptions(multilingual=True)))
    assert [result.language for result in results] == ["en", "de", "de", "en"]
    assert {segment.language for segment in results[1].segments} == {"de"}
