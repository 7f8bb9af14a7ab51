from __future__ import annotations

import doctest
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import subvino.windows
from subvino.audio import (
    SAMPLE_RATE,
    Audio,
    DetectedAudio,
    Samples,
    SpeechSegment,
    Window,
    WindowSound,
    even_blocks,
    to_position,
)
from subvino.errors import OptionError
from subvino.vad import load_detector
from subvino.windows import (
    Detector,
    WindowOptions,
    find_quietest,
    hear_everything,
    split_window,
    stream_windows,
    to_media_time,
    to_media_times,
    to_window_time,
)
from tests.clips import in_blocks, read_clip

SCALE = np.float32(2**-24)

property_test = settings(deadline=None, derandomize=True, max_examples=60)


def numbered(n_samples: int, start: float = 0.0) -> Audio:
    """Sound whose samples say where they come from: position * 2^-24, exact in float32."""
    positions = to_position(start) + np.arange(n_samples)
    return Audio(positions.astype(np.float32) * SCALE, start)


def positions_of(segments: Iterable[SpeechSegment]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The positions of all samples in the segments."""
    ranges = [np.arange(to_position(s.start), to_position(s.end)) for s in segments]
    return np.concatenate([np.empty(0, np.int64), *ranges])


def knowing(speech: Iterable[tuple[float, float]]) -> Detector:
    """A detector that knows the speech of one run beforehand, and tells it a second late."""
    stretches = [(to_position(a), to_position(b)) for a, b in speech]

    def detect(blocks: Iterable[Audio]) -> Iterator[DetectedAudio]:
        settled = 0
        for block in even_blocks(blocks, 4_000):
            now = max(to_position(block.end) - SAMPLE_RATE, 0)
            pieces = [(max(a, settled), min(b, now)) for a, b in stretches]
            segments = (SpeechSegment(a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in pieces if a < b)
            yield DetectedAudio(block, tuple(segments), now / SAMPLE_RATE)
            settled = now

    return detect


def windows_of(
    speech: list[tuple[float, float]], duration: float, options: WindowOptions | None = None
) -> list[WindowSound]:
    # A second more than the detector needs to be sure of all that is speech.
    sound = numbered(to_position(duration + 2.0))
    return list(stream_windows([sound], knowing(speech), options))


def check(
    windows: list[WindowSound], speech: list[tuple[float, float]], options: WindowOptions
) -> None:
    """What must hold of any windows: the properties in the module's docstring."""
    spans = [span for sound in windows for span in sound.window.spans]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    told = positions_of(part for sound in windows for part in sound.window.speech)
    assert np.array_equal(told, positions_of(SpeechSegment(a, b) for a, b in speech))
    for sound in windows:
        assert len(sound.samples) <= to_position(options.max_duration)
        heard = positions_of(sound.window.spans)
        assert np.array_equal(np.round(sound.samples / SCALE).astype(np.int64), heard)
        for part in sound.window.speech:
            assert any(
                span.start <= part.start and part.end <= span.end for span in sound.window.spans
            )


def to_speech(lengths: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """(pause, speech) in tenths of a second → speech times."""
    speech, time = [], 0
    for pause, length in lengths:
        speech.append(((time + pause) / 10, (time + pause + length) / 10))
        time += pause + length
    return speech


LENGTHS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 90)), max_size=25)
OPTIONS = st.builds(
    WindowOptions,
    max_duration=st.sampled_from([4.0, 10.0, 30.0]),
    keep_pause=st.sampled_from([0.7, 2.0, 3.0]),
    padding=st.sampled_from([0.0, 0.1, 0.35]),
)


@property_test
@given(LENGTHS, OPTIONS)
def test_every_sample_of_speech_is_in_exactly_one_window(
    lengths: list[tuple[int, int]], options: WindowOptions
) -> None:
    speech = to_speech(lengths)
    duration = speech[-1][1] if speech else 3.0
    check(windows_of(speech, duration, options), speech, options)


@property_test
@given(LENGTHS, st.lists(st.integers(100, 70_000), min_size=1, max_size=9))
def test_windows_are_the_same_whatever_the_block_size(
    lengths: list[tuple[int, int]], sizes: list[int]
) -> None:
    speech = to_speech(lengths)
    duration = speech[-1][1] if speech else 3.0
    whole = windows_of(speech, duration)
    samples = numbered(to_position(duration + 2.0)).samples
    ends = np.cumsum(sizes * (len(samples) // sum(sizes) + 1))
    starts = [0, *ends[ends < len(samples)].tolist(), len(samples)]
    blocks = [Audio(samples[a:b], a / SAMPLE_RATE) for a, b in pairwise(starts)]
    cut = list(stream_windows(blocks, knowing(speech)))
    assert [sound.window for sound in cut] == [sound.window for sound in whole]


def test_short_pauses_are_kept_and_long_ones_left_out() -> None:
    speech = [(1.0, 3.0), (4.5, 6.0), (9.0, 10.0)]
    (sound,) = windows_of(speech, 12.0)
    assert sound.window.spans == (SpeechSegment(0.4, 6.6), SpeechSegment(8.4, 10.6))
    assert sound.window.speech == tuple(SpeechSegment(a, b) for a, b in speech)


def test_padding_stops_at_the_edges_of_the_sound() -> None:
    blocks = [numbered(to_position(2.0), start=7.0)]
    heard = DetectedAudio(blocks[0], (SpeechSegment(7.1, 8.9),), 9.0)
    (sound,) = stream_windows(blocks, lambda _: iter([heard]))
    assert sound.window.spans == (SpeechSegment(7.0, 9.0),)


def test_cuts_fall_in_the_longest_pauses_that_keep_windows_few() -> None:
    # Sentences of 6 s with pauses of 0.2 s, and of 1 s after each fourth: 24.6 s of 30 are filled.
    speech, time = [], 0.0
    for i in range(1, 13):
        speech.append((time, time + 6.0))
        time += 6.2 if i % 4 else 7.0
    windows = windows_of(speech, time)
    assert [len(sound.window.speech) for sound in windows] == [4, 4, 4]


def test_a_long_pause_is_not_bought_with_half_empty_windows() -> None:
    # Pauses of 0.3 s; one of 1.0 s after 10 s: cutting there would take a window more.
    speech = [(0.0, 10.0), *((11.0 + 6.3 * i, 17.0 + 6.3 * i) for i in range(7))]
    windows = windows_of([(a, b) for a, b in speech], 60.0)
    assert len(windows) == 2


def test_speech_without_a_pause_is_cut_at_its_quietest_point() -> None:
    n_samples = to_position(50.0)
    samples = np.random.default_rng(3).uniform(-0.5, 0.5, n_samples).astype(np.float32)
    samples[to_position(24.0) : to_position(24.2)] *= 0.01
    samples[to_position(10.0) : to_position(10.2)] = 0.0  # quieter, but not in the last third
    first, second = stream_windows([Audio(samples)], hear_everything)
    assert 24.04 <= first.window.end <= 24.16
    assert second.window.start == first.window.end
    assert second.window.end == 50.0


def test_with_detection_off_every_sample_is_heard_once() -> None:
    n_samples = to_position(100.0) + 123
    sound = numbered(n_samples)
    windows = list(stream_windows(in_blocks(sound.samples, 5_000), hear_everything))
    assert np.array_equal(np.concatenate([window.samples for window in windows]), sound.samples)
    assert all(to_position(20.0) <= len(window.samples) for window in windows[:-1])


def test_silence_gives_no_windows() -> None:
    assert list(stream_windows([numbered(100_000)], knowing([]))) == []
    assert list(stream_windows([], hear_everything)) == []


def test_a_window_spans_a_gap_in_the_media_without_the_samples_that_are_not_there() -> None:
    blocks = [numbered(to_position(3.0)), numbered(to_position(4.0), start=3.5)]
    (sound,) = stream_windows(blocks, hear_everything)
    assert sound.window.spans == (SpeechSegment(0.0, 3.0), SpeechSegment(3.5, 7.5))
    assert len(sound.samples) == to_position(7.0)


@property_test
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 300)), min_size=1, max_size=5))
def test_with_gaps_in_the_media_every_sample_is_heard_once(runs: list[tuple[int, int]]) -> None:
    blocks, time = [], 0.0
    for gap, length in runs:
        blocks.append(numbered(to_position(length / 10), start=time + gap / 10))
        time += (gap + length) / 10
    options = WindowOptions(max_duration=10.0)
    windows = list(stream_windows(blocks, hear_everything, options))
    check(windows, [], options)  # nobody looked for speech, so none is told
    heard = positions_of(span for sound in windows for span in sound.window.spans)
    assert np.array_equal(heard, positions_of(SpeechSegment(b.start, b.end) for b in blocks))


def test_where_time_goes_back_a_window_ends() -> None:
    blocks = [numbered(to_position(3.0), start=10.0), numbered(to_position(3.0), start=5.0)]
    windows = list(stream_windows(blocks, hear_everything))
    assert [sound.window.start for sound in windows] == [10.0, 5.0]


def test_windows_come_while_the_stream_goes_on_and_little_is_held() -> None:
    taken = 0

    def endless() -> Iterator[Audio]:
        nonlocal taken
        while True:
            yield Audio(np.zeros(SAMPLE_RATE, np.float32), float(taken))
            taken += 1

    talk = [(float(second), second + 0.8) for second in range(3_000)]
    for detector in (knowing(talk), hear_everything):
        taken = 0
        for _, sound in zip(range(20), stream_windows(endless(), detector), strict=False):
            assert taken - sound.window.start < 100.0


def test_real_speech_is_cut_in_its_pauses() -> None:
    jfk = read_clip("jfk")
    options = WindowOptions(max_duration=3.0, keep_pause=1.0, padding=0.35)
    windows = list(stream_windows(in_blocks(jfk, 10_000), load_detector(), options))
    # "And so my fellow Americans," / "ask not" / "what your country can do for you": by ear.
    assert len(windows) == 3
    for sound, (start, end) in zip(windows, [(0.3, 2.3), (3.2, 4.4), (5.3, 7.7)], strict=True):
        assert sound.window.speech[0].start == pytest.approx(start, abs=0.15)
        assert sound.window.speech[-1].end == pytest.approx(end, abs=0.15)


def make_window(gaps: list[tuple[int, int]], start: int = 0) -> Window:
    spans, time = [], start
    for pause, length in gaps:
        spans.append(SpeechSegment((time + pause) / 1000, (time + pause + length) / 1000))
        time += pause + length
    return Window(tuple(spans))


WINDOWS = st.builds(
    make_window,
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 9_000)), min_size=1, max_size=9),
    st.integers(-1_000, 36_000_000),
)


@property_test
@given(WINDOWS, st.floats(0.0, 1.0))
def test_window_time_goes_to_media_time_and_back(window: Window, share: float) -> None:
    time = share * window.duration
    for ends in (False, True):
        assert to_window_time(window, to_media_time(window, time, ends=ends)) == pytest.approx(
            time, abs=1e-6
        )


@property_test
@given(WINDOWS, st.lists(st.floats(-10.0, 100.0), min_size=2, max_size=20), st.booleans())
def test_media_time_never_goes_back_and_lies_in_a_span(
    window: Window, times: list[float], ends: bool
) -> None:
    media = [to_media_time(window, time, ends=ends) for time in sorted(times)]
    assert all(one <= other + 1e-9 for one, other in pairwise(media))
    for time in media:
        assert any(span.start - 1e-9 <= time <= span.end + 1e-9 for span in window.spans)


@property_test
@given(WINDOWS)
def test_at_a_seam_what_ends_stays_before_the_pause(window: Window) -> None:
    seam = 0.0
    for before, after in pairwise(window.spans):
        seam += before.duration
        assert to_media_time(window, seam) == pytest.approx(after.start, abs=1e-6)
        assert to_media_time(window, seam, ends=True) == pytest.approx(before.end, abs=1e-6)
        middle = (before.end + after.start) / 2
        assert to_window_time(window, middle) == pytest.approx(seam, abs=1e-6)


def test_a_word_timed_across_a_pause_is_where_its_speech_is() -> None:
    # The word before a pause of a voice over music: the window keeps 0.6 s of the music after it.
    speech = (SpeechSegment(4.2, 6.9), SpeechSegment(10.5, 12.8))
    window = Window((SpeechSegment(3.6, 7.5), SpeechSegment(9.9, 13.4)), speech)
    assert to_media_times(window, 3.85, 4.6) == pytest.approx((10.5, 10.6))
    assert to_media_times(window, 3.0, 4.2) == pytest.approx((6.6, 6.9))
    assert to_media_times(window, 1.0, 3.0) == pytest.approx((4.6, 6.6))


@property_test
@given(WINDOWS, st.lists(st.floats(0.0, 80.0), min_size=2, max_size=20))
def test_words_stay_in_order_across_pauses(window: Window, times: list[float]) -> None:
    window = replace(window, speech=window.spans)
    words = [to_media_times(window, one, other) for one, other in pairwise(sorted(times))]
    assert all(start <= end for start, end in words)
    assert all(one[1] <= other[0] + 1e-6 for one, other in pairwise(words))


def test_a_long_pause_ends_a_window_where_that_is_asked_for() -> None:
    speech = [(1.0, 2.0), (2.5, 3.5), (4.1, 5.0), (5.2, 6.0), (8.5, 9.0)]
    whole = windows_of(speech, 10.0)
    assert len(whole) == 1
    windows = windows_of(speech, 10.0, WindowOptions(split_pause=0.6))
    firsts = [sound.window.speech[0].start for sound in windows]
    assert firsts == pytest.approx([1.0, 4.1, 8.5], abs=1e-3)
    assert sum(len(sound.window.speech) for sound in windows) == len(speech)


def test_a_window_splits_at_its_longest_pause() -> None:
    (sound,) = windows_of([(1.0, 4.0), (4.5, 6.0), (10.0, 12.0), (12.5, 13.0)], 14.0)
    halves = split_window(sound)
    assert halves is not None
    first, second = halves
    assert [s.end for s in first.window.speech][-1] == 6.0
    assert second.window.speech[0].start == 10.0
    assert np.array_equal(np.concatenate([first.samples, second.samples]), sound.samples)


@property_test
@given(LENGTHS.filter(bool))
def test_halves_hold_what_the_window_held(lengths: list[tuple[int, int]]) -> None:
    speech = to_speech(lengths)
    for sound in windows_of(speech, speech[-1][1]):
        halves = split_window(sound)
        if halves is None:
            assert len(sound.samples) < 2 * SAMPLE_RATE
            continue
        joined = np.concatenate([half.samples for half in halves])
        assert np.array_equal(joined, sound.samples)
        for heard in ("spans", "speech"):
            parts = [part for half in halves for part in getattr(half.window, heard)]
            assert np.array_equal(positions_of(parts), positions_of(getattr(sound.window, heard)))


def test_a_window_without_a_pause_splits_where_it_is_quietest() -> None:
    samples = np.full(to_position(9.0), 0.3, np.float32)
    samples[to_position(4.0) : to_position(4.2)] = 0.0
    whole = (SpeechSegment(20.0, 29.0),)
    halves = split_window(WindowSound(Window(whole, whole), samples))
    assert halves is not None
    assert 24.04 <= halves[0].window.end <= 24.16


def test_of_equally_quiet_places_the_last_is_taken() -> None:
    silence: Samples = np.zeros(16_000, np.float32)
    assert find_quietest(silence) == 16_000 - 800
    assert find_quietest(silence[:10]) == 5


def test_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(subvino.windows).failed == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_duration": 30.1},
        {"max_duration": 0.5},
        {"padding": -0.1},
        {"padding": 1.1, "keep_pause": 2.0},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        replace(WindowOptions(), **wrong)
