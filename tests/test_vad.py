from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.audio import SAMPLE_RATE, Audio, Samples, SpeechSegment
from subvino.errors import OptionError
from subvino.vad import (
    CALL_SAMPLES,
    FRAME_SAMPLES,
    MAX_GAIN,
    Probabilities,
    SileroDetector,
    SpeechScorer,
    SpeechTracker,
    VadOptions,
    join_speech,
    load_detector,
    quiet_gain,
)
from tests.clips import FOLDER, in_blocks, read_clip

# Words of nathalie_97.flac with their times, from the data set (Kaldi forced alignment).
WORDS = [
    ("ieder", 0.0, 0.29),
    ("seizoen", 0.29, 0.8),
    ("heeft", 0.8, 1.05),
    ("zijn", 1.05, 1.18),
    ("eigen", 1.18, 1.46),
    ("schoonheid", 1.46, 2.21),
    ("en", 2.21, 2.43),
    ("geeft", 2.43, 2.65),
    ("de", 2.65, 2.71),
    ("streek", 2.71, 3.18),
    ("haar", 3.18, 3.41),
    ("eigen", 3.41, 3.75),
    ("aanblik", 3.75, 4.27),
]


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return load_detector()


@pytest.fixture(scope="module")
def jfk() -> Samples:
    return read_clip("jfk")


def find_speech(detector: SileroDetector, *blocks: Audio) -> list[SpeechSegment]:
    return list(join_speech(detector(blocks)))


def score(detector: SileroDetector, samples: Samples) -> Probabilities:
    scorer = SpeechScorer(detector.network)
    calls = range(0, len(samples), CALL_SAMPLES)
    return np.concatenate([scorer.score(samples[i : i + CALL_SAMPLES]) for i in calls])


def track(probabilities: Probabilities, options: VadOptions) -> list[tuple[int, int]]:
    tracker = SpeechTracker(options)
    return join([*tracker.push(probabilities), *tracker.finish()])


def join(told: list[tuple[int, int]]) -> list[tuple[int, int]]:
    starts = [a for i, (a, _) in enumerate(told) if i == 0 or told[i - 1][1] != a]
    ends = [b for i, (_, b) in enumerate(told) if i == len(told) - 1 or told[i + 1][0] != b]
    return list(zip(starts, ends, strict=True))


def test_probabilities_are_those_of_silero_frame_by_frame(
    detector: SileroDetector, jfk: Samples
) -> None:
    reference = json.loads((FOLDER / "reference.json").read_text())["probabilities"]
    # Values rounded to 6 digits, another runtime: 2e-6 measured.
    np.testing.assert_allclose(score(detector, jfk), reference, atol=1e-5)


def test_speech_is_what_silero_itself_finds_with_its_own_options() -> None:
    reference = json.loads((FOLDER / "reference.json").read_text())
    # Silero waits for a pause of 100 ms from the start of the frame that it is in: five frames.
    options = VadOptions(0.5, 0.35, min_speech=0.25, min_silence=0.16, pad_before=0.0)
    speech = track(np.array(reference["probabilities"], np.float32), options)
    assert [list(stretch) for stretch in speech] == reference["speech"]


@pytest.mark.parametrize("n_samples", [400, 511, 16_000, 65_537, 10**9])
def test_speech_is_the_same_whatever_the_block_size(
    detector: SileroDetector, jfk: Samples, n_samples: int
) -> None:
    long = np.concatenate([jfk, jfk])
    whole = find_speech(detector, Audio(long, 0.0))
    assert list(join_speech(detector(in_blocks(long, n_samples)))) == whole


def test_probabilities_are_the_same_bits_in_every_run(
    detector: SileroDetector, jfk: Samples
) -> None:
    assert np.array_equal(score(detector, jfk), score(load_detector(), jfk))


def test_sound_passes_through_untouched_and_speech_is_never_told_too_late(
    detector: SileroDetector, jfk: Samples
) -> None:
    items = list(detector(in_blocks(jfk, 3_000, start=5.0)))
    assert np.array_equal(np.concatenate([item.audio.samples for item in items]), jfk)
    assert items[0].audio.start == 5.0
    for before, after in pairwise(items):
        assert after.audio.start == before.audio.end
        assert before.settled <= after.settled <= after.audio.end
        assert all(before.settled <= segment.start for segment in after.speech)
        assert all(segment.end <= after.audio.end for segment in after.speech)


def test_words_aligned_by_the_data_set_are_heard(detector: SileroDetector) -> None:
    speech = find_speech(detector, Audio(read_clip("nathalie_97")))
    for word, start, end in WORDS:
        heard = sum(max(min(end, s.end) - max(start, s.start), 0.0) for s in speech)
        assert heard >= 0.95 * (end - start), word


@pytest.mark.parametrize("level_db", [-10, -30, -40])
def test_quiet_speech_is_heard_like_loud_speech(
    detector: SileroDetector, jfk: Samples, level_db: int
) -> None:
    loud = find_speech(detector, Audio(jfk))
    quiet = find_speech(detector, Audio((jfk * 10 ** (level_db / 20)).astype(np.float32)))
    both = sum(
        max(min(one.end, other.end) - max(one.start, other.start), 0.0)
        for one in loud
        for other in quiet
    )
    assert both >= 0.98 * max(sum(s.duration for s in loud), sum(s.duration for s in quiet))


@pytest.mark.parametrize("level_db", [-20, -45, -70])
def test_noise_hum_and_silence_are_no_speech(detector: SileroDetector, level_db: int) -> None:
    noise = np.random.default_rng(1).standard_normal(160_000)
    hum = np.sin(2 * np.pi * 50 * np.arange(160_000) / SAMPLE_RATE)
    for sound in (noise, hum, np.zeros(160_000)):
        samples = (sound * 10 ** (level_db / 20)).astype(np.float32)
        assert find_speech(detector, Audio(samples)) == []


def test_a_jump_in_time_ends_speech_and_keeps_media_time(
    detector: SileroDetector, jfk: Samples
) -> None:
    first = find_speech(detector, Audio(jfk))
    both = find_speech(detector, Audio(jfk, 0.0), Audio(jfk, 100.0))
    assert both[: len(first)] == first
    for one, other in zip(both[len(first) :], first, strict=True):
        assert one.start == pytest.approx(other.start + 100.0)
        assert one.end == pytest.approx(other.end + 100.0)


def test_timestamps_that_wobble_are_no_jump(detector: SileroDetector, jfk: Samples) -> None:
    wobbling = (
        Audio(block.samples, block.start + 0.001 * (i % 3))
        for i, block in enumerate(in_blocks(jfk, 1_024))
    )
    assert list(join_speech(detector(wobbling))) == find_speech(detector, Audio(jfk))


def test_speech_to_the_last_sample_ends_with_the_sound(
    detector: SileroDetector, jfk: Samples
) -> None:
    cut = jfk[: 7 * SAMPLE_RATE - 100]
    assert find_speech(detector, Audio(cut))[-1].end == len(cut) / SAMPLE_RATE


def test_samples_that_are_no_numbers_do_not_deafen_the_detector(
    detector: SileroDetector, jfk: Samples
) -> None:
    damaged = jfk.copy()
    damaged[100:110] = np.nan
    damaged[110:120] = np.inf
    assert len(find_speech(detector, Audio(damaged))) == len(find_speech(detector, Audio(jfk)))


def test_nothing_is_heard_in_nothing(detector: SileroDetector) -> None:
    assert list(detector([])) == []
    assert find_speech(detector, Audio(np.empty(0, np.float32))) == []


def test_one_detector_serves_two_streams_at_once(detector: SileroDetector, jfk: Samples) -> None:
    alone = list(detector(in_blocks(jfk, 8_000)))
    pairs = zip(detector(in_blocks(jfk, 8_000)), detector(in_blocks(jfk, 8_000)), strict=True)
    for wanted, (one, other) in zip(alone, pairs, strict=True):
        assert wanted.speech == one.speech == other.speech


def test_gain_raises_what_is_quiet_and_nothing_else(jfk: Samples) -> None:
    assert quiet_gain(jfk) == 1.0
    assert quiet_gain(jfk / np.float32(1e6)) == MAX_GAIN
    assert quiet_gain(np.empty(0, np.float32)) == MAX_GAIN


def test_a_stretch_of_speech_has_its_padding_and_hysteresis() -> None:
    options = VadOptions(0.5, 0.3, min_speech=0.06, min_silence=0.06, pad_before=0.032)
    quiet, middle, loud = [0.1] * 4, [0.4], [0.9]
    probabilities = np.array(quiet + middle + loud * 3 + middle * 5 + quiet, np.float32)
    # Starts at the first loud frame (5), less one frame; goes on while the probability is middling.
    assert track(probabilities, options) == [(4 * FRAME_SAMPLES, 13 * FRAME_SAMPLES)]


def test_a_click_is_no_speech_and_a_short_pause_no_end() -> None:
    options = VadOptions(min_speech=0.128, min_silence=0.128, pad_before=0.0)
    click = np.array([0] * 9 + [1] * 3 + [0] * 9, np.float32)
    assert track(click, options) == []
    pause = np.array([0] * 9 + [1] * 5 + [0] * 3 + [1] * 5 + [0] * 9, np.float32)
    assert track(pause, options) == [(9 * FRAME_SAMPLES, 22 * FRAME_SAMPLES)]


def chunks(values: Probabilities, sizes: list[int]) -> Iterator[Probabilities]:
    for size in sizes:
        yield values[:size]
        values = values[size:]
    yield values


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.9]), max_size=120),
    st.lists(st.integers(0, 20), max_size=20),
    st.floats(0.0, 0.3),
    st.floats(0.1, 0.4),
    st.floats(0.0, 0.05),
    st.floats(0.0, 0.05),
)
def test_speech_told_in_pieces_is_the_speech_of_the_whole(
    values: list[float],
    sizes: list[int],
    min_speech: float,
    min_silence: float,
    pad_before: float,
    pad_after: float,
) -> None:
    options = VadOptions(0.35, 0.2, min_speech, min_silence, pad_before, pad_after)
    probabilities = np.array(values, np.float32)
    tracker, told, settled = SpeechTracker(options), list[tuple[int, int]](), 0
    for chunk in chunks(probabilities, sizes):
        pieces = tracker.push(chunk)
        assert all(start >= settled for start, _ in pieces)
        assert tracker.settled >= settled
        told, settled = told + pieces, tracker.settled
    told = join([*told, *tracker.finish()])
    assert told == track(probabilities, options)
    assert all(a < b for a, b in told)
    assert all(b < c for (_, b), (c, _) in pairwise(told))
    for start, end in told:
        inside = probabilities[start // FRAME_SAMPLES : -(-end // FRAME_SAMPLES)]
        assert inside.max() >= np.float32(0.35)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.1},
        {"threshold": 1.0},
        {"negative_threshold": 0.0},
        {"min_speech": -1.0},
        {"pad_after": -0.1},
        {"pad_before": 0.2, "pad_after": 0.2},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        VadOptions(**wrong)
