"""The decode loop on small random networks, whose text fails every gate there is.

Whatever they say: each window has one result, in order, no sound is dropped, and neither the batch
nor the other windows change what is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from subvino.audio import SAMPLE_RATE, Samples, SpeechSegment, Window, WindowSound, to_position
from subvino.recognizer import DecodingOptions, FileWindows
from subvino.whisper import WhisperRecognizer
from subvino.whisper.decoding import Decoder
from subvino.whisper.recording import DecodedWindow
from subvino.whisper.segments import make_segments
from tests.whisper.conftest import as_window
from tests.whisper.tiny_recognizer import make_recognizer

OPTIONS = {
    "greedy": DecodingOptions(language="en", beam_size=1),
    "without words": DecodingOptions(language="en", words=False),
    "two beams": DecodingOptions(language="en", beam_size=2, temperatures=(0.0, 0.6)),
    "four beams": DecodingOptions(language="en", beam_size=4, temperatures=(0.0,)),
    "never good enough": DecodingOptions(
        language="en", min_avg_logprob=0.0, max_no_speech_prob=1.0, temperatures=(0.0, 0.5, 1.0)
    ),
    "samples": DecodingOptions(
        language="en", beam_size=1, max_compression_ratio=0.1, temperatures=(0.0, 0.4), best_of=3
    ),
    "silence": DecodingOptions(language="en", min_avg_logprob=-1e-3, max_no_speech_prob=0.0),
    "prompt": DecodingOptions(language="de", prompt="So it was", hotwords="there"),
    "translation": DecodingOptions(language="fr", task="translate"),
}
IN_ORDER = {
    "previous text": DecodingOptions(language="en", beam_size=1, condition_on_previous=True),
    "each its language": DecodingOptions(multilingual=True, temperatures=(0.0, 0.6)),
    "each its language, twice": DecodingOptions(
        multilingual=True,
        beam_size=1,
        min_avg_logprob=0.0,
        max_no_speech_prob=1.0,
        temperatures=(0.0, 0.6),
    ),
}
"""Here a window's text may depend on the windows before it, never on the batch."""


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> WhisperRecognizer:
    return make_recognizer(tmp_path_factory.mktemp("tiny"), seed=1)


def noise(n_samples: int, seed: int) -> Samples:
    """Bursts, so that there are quiet places."""
    rng = np.random.default_rng(seed)
    swell = 0.02 + 0.2 * (np.sin(np.arange(n_samples) / 4000.0 + seed) > 0)
    return (rng.normal(size=n_samples) * swell).astype(np.float32)


def with_pause(start: float, seed: int) -> WindowSound:
    """20 s of sound and 4 s of silence between two stretches, 60 s apart in the media."""
    spans = (SpeechSegment(start, start + 12.0), SpeechSegment(start + 72.0, start + 84.0))
    speech = (SpeechSegment(start, start + 10.0), SpeechSegment(start + 74.0, start + 84.0))
    return WindowSound(Window(spans, speech), noise(24 * SAMPLE_RATE, seed))


SOUNDS = (
    as_window(noise(480_000, 0), 0.0),
    as_window(noise(300, 1), 30.0),
    with_pause(40.0, 2),
    as_window(noise(1, 4), 150.0),
    as_window(np.zeros(150_000, np.float32), 160.0),
)


def decode(
    recognizer: WhisperRecognizer, sounds: tuple[WindowSound, ...], options: DecodingOptions
) -> list[DecodedWindow]:
    decoder = Decoder(recognizer.engine, recognizer.tokenizer, options)
    return list(decoder.decode(iter(sounds)))


def told(decoded: DecodedWindow) -> list[object]:
    """What must not depend on the batch; scores may, in their last digits."""
    return [
        (
            part.sound.window,
            part.language,
            part.attempt.hypothesis.tokens,
            part.attempt.temperature,
            [] if part.attempt.onsets is None else part.attempt.onsets.tolist(),
        )
        for part in decoded.parts
    ]


def check(
    recognizer: WhisperRecognizer,
    sounds: tuple[WindowSound, ...],
    decoded: list[DecodedWindow],
    options: DecodingOptions,
) -> None:
    assert [one.sound for one in decoded] == list(sounds)
    for one in decoded:
        assert positions(one.sound) == set().union(*(positions(part.sound) for part in one.parts))
        check_segments(recognizer, one, options)


def positions(sound: WindowSound) -> set[int]:
    """Every hundredth media position of the sound."""
    spans = [(to_position(part.start), to_position(part.end)) for part in sound.window.spans]
    return {place for low, high in spans for place in range(-(-low // 100) * 100, high, 100)}


def check_segments(
    recognizer: WhisperRecognizer, one: DecodedWindow, options: DecodingOptions
) -> None:
    segments = make_segments(recognizer.tokenizer, one, options)
    window = one.sound.window
    starts = [segment.start for segment in segments]
    assert starts == sorted(starts)
    for segment in segments:
        assert window.start - 1e-6 <= segment.start <= segment.end <= window.end + 1e-6
        if segment.words is None:
            assert not options.words or segment.verdict == "no speech"
            continue
        assert "".join(word.text for word in segment.words).strip() == segment.text
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_windows_text_depends_on_the_window_alone(
    recognizer: WhisperRecognizer, name: str
) -> None:
    options = OPTIONS[name]
    alone = decode(recognizer, SOUNDS, replace(options, batch_size=1))
    check(recognizer, SOUNDS, alone, options)
    expected = {one.sound.window: told(one) for one in alone}
    sounds = tuple(SOUNDS[i] for i in (4, 2, 0, 3, 1))
    found = decode(recognizer, sounds, replace(options, batch_size=3))
    check(recognizer, sounds, found, options)
    assert [told(one) for one in found] == [expected[one.sound.window] for one in found]


@pytest.mark.parametrize("name", IN_ORDER)
def test_the_windows_before_count_and_the_batch_does_not(
    recognizer: WhisperRecognizer, name: str
) -> None:
    options = IN_ORDER[name]
    runs = [
        decode(recognizer, SOUNDS, replace(options, batch_size=batch_size)) for batch_size in (1, 3)
    ]
    check(recognizer, SOUNDS, runs[0], options)
    assert [told(one) for one in runs[1]] == [told(one) for one in runs[0]]


def test_a_files_language_does_not_depend_on_the_batch(recognizer: WhisperRecognizer) -> None:
    """It is that of the first windows together, even where they never are in the batch together."""
    options = DecodingOptions(beam_size=1, temperatures=(0.0,))
    sounds = SOUNDS * 2
    runs = [decode(recognizer, sounds, replace(options, batch_size=n)) for n in (1, 2, 5, 16)]
    check(recognizer, sounds, runs[0], options)
    languages = {part.language for run in runs for one in run for part in one.parts}
    assert len(languages) == 1
    chances = [part.language_probability for run in runs for one in run for part in one.parts]
    assert chances == pytest.approx([chances[0]] * len(chances), abs=1e-5)
    assert [told(one) for run in runs[1:] for one in run] == [told(one) for one in runs[0]] * 3


@pytest.mark.parametrize(
    "options",
    [
        DecodingOptions(temperatures=(0.0,), batch_size=3),
        DecodingOptions(beam_size=1, temperatures=(0.0, 0.5), batch_size=16),
        DecodingOptions(multilingual=True, beam_size=2, sure_logprob=None, batch_size=4),
        DecodingOptions(condition_on_previous=True, beam_size=1, batch_size=2),
    ],
)
def test_many_files_in_one_batch_give_what_each_gives_alone(
    recognizer: WhisperRecognizer, options: DecodingOptions
) -> None:
    files = (SOUNDS[:1], (), SOUNDS, SOUNDS[4:0:-1], (), SOUNDS[2:3], ())
    alone = [decode(recognizer, sounds, options) for sounds in files]
    found: list[list[DecodedWindow]] = [[] for _ in files]
    over: list[int] = []
    decoder = Decoder(recognizer.engine, recognizer.tokenizer, options)
    for number, one in decoder.decode_many(FileWindows(iter(sounds)) for sounds in files):
        assert number not in over
        if one is None:
            over.append(number)
        else:
            found[number].append(one)
    assert sorted(over) == list(range(len(files)))
    for one_by_one, together in zip(alone, found, strict=True):
        assert [told(one) for one in together] == [told(one) for one in one_by_one]


def test_beams_are_for_windows_whose_greedy_text_is_in_doubt(
    recognizer: WhisperRecognizer,
) -> None:
    """A threshold between the windows' own figures parts them."""
    trusting = DecodingOptions(
        language="en", min_avg_logprob=-100.0, max_compression_ratio=100.0, temperatures=(0.0,)
    )
    greedy = decode(recognizer, SOUNDS, replace(trusting, beam_size=1))
    beams = decode(recognizer, SOUNDS, replace(trusting, beam_size=4, sure_logprob=None))
    figures = [one.parts[0].attempt.hypothesis.avg_logprob for one in greedy]
    threshold = sum(sorted(figures)[1:3]) / 2
    options = replace(trusting, beam_size=4, sure_logprob=threshold)
    expected = [
        told(sure if figure >= threshold else searched)
        for figure, sure, searched in zip(figures, greedy, beams, strict=True)
    ]
    assert expected not in ([told(one) for one in greedy], [told(one) for one in beams])
    for batch_size in (1, 3, 16):
        found = decode(recognizer, SOUNDS, replace(options, batch_size=batch_size))
        assert [told(one) for one in found] == expected


def test_windows_are_taken_only_as_the_batch_has_room(recognizer: WhisperRecognizer) -> None:
    taken = 0

    def sounds() -> Iterator[WindowSound]:
        nonlocal taken
        for sound in SOUNDS * 3:
            taken += 1
            yield sound

    options = DecodingOptions(language="en", batch_size=2, temperatures=(0.0,))
    decoder = Decoder(recognizer.engine, recognizer.tokenizer, options)
    for n_given, _ in enumerate(decoder.decode(sounds()), start=1):
        assert taken <= n_given + 4
    assert taken == n_given


def test_no_windows_give_no_results(recognizer: WhisperRecognizer) -> None:
    assert list(recognizer.recognize([], DecodingOptions())) == []
    assert recognizer.detect_language([]) == {}


def test_the_first_attempt_is_at_the_first_temperature(recognizer: WhisperRecognizer) -> None:
    options = DecodingOptions(language="en", temperatures=(0.7, 0.9), max_compression_ratio=100.0)
    found = decode(recognizer, SOUNDS[1:2], replace(options, min_avg_logprob=-100.0))
    assert found[0].parts[0].attempt.temperature == 0.7


def test_media_time_before_zero_is_a_time_like_any_other(recognizer: WhisperRecognizer) -> None:
    options = DecodingOptions(language="en", temperatures=(0.7,))
    (found,) = decode(recognizer, (as_window(noise(16_000, 7), -5.0),), options)
    assert found.parts[0].attempt.temperature == 0.7


def test_a_window_without_samples_is_heard_as_silence(recognizer: WhisperRecognizer) -> None:
    span = SpeechSegment(1.0, 1.00003)
    empty = WindowSound(Window((span,), (span,)), np.empty(0, np.float32))
    assert len(list(recognizer.recognize([empty], DecodingOptions()))) == 1


def test_text_that_failed_is_not_the_next_windows_prompt(recognizer: WhisperRecognizer) -> None:
    """Halves would go on from the very loop that they are to break."""
    options = DecodingOptions(
        language="en", condition_on_previous=True, min_avg_logprob=0.0, max_no_speech_prob=1.0
    )
    alone = replace(options, condition_on_previous=False)
    sounds = (SOUNDS[0], SOUNDS[4])
    assert [told(one) for one in decode(recognizer, sounds, options)] == [
        told(one) for one in decode(recognizer, sounds, alone)
    ]
