from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.timeline import DRIFT, EXACT, JITTER, MAX_SILENCE, Timeline, is_stray

FRAME = 0.02


def place_all(stamps: list[float | None], duration: float | None = None) -> list[float]:
    """The media time each frame is given; the frames that were cut away whole are left out."""
    timeline = Timeline(duration)
    placements = [timeline.place(stamp, FRAME) for stamp in stamps]
    return [placed.start for placed in placements if placed.cut < FRAME]


def regular(first: float, n: int) -> list[float]:
    return [first + FRAME * index for index in range(n)]


stamps = st.one_of(
    st.none(), st.floats(-1e9, 1e9), st.floats(0, 30), st.sampled_from([0.0, 5.0, 5.02, 4.9])
)


@given(st.lists(st.tuples(stamps, st.floats(1e-4, 2.0), st.booleans()), max_size=60))
def test_time_never_runs_backwards_and_every_sample_is_accounted_for(
    frames: list[tuple[float | None, float, bool]],
) -> None:
    timeline = Timeline()
    position = silence = 0.0
    for stamp, duration, loss in frames:
        if loss:
            timeline.expect_loss()
        placed = timeline.place(stamp, duration)
        assert 0 <= placed.cut <= duration
        assert placed.silence >= 0
        assert placed.start == pytest.approx(position + placed.silence)
        assert timeline.position == pytest.approx(placed.start + duration - placed.cut)
        position, silence = timeline.position, silence + placed.silence
    assert silence <= MAX_SILENCE


@given(st.lists(st.floats(-0.04, 0.04), min_size=2, max_size=2000))
def test_jitter_moves_nothing_but_a_first_stamp_and_a_lasting_drift(jitter: list[float]) -> None:
    timeline = Timeline()
    timeline.place(0.0, FRAME)
    placements = [
        timeline.place(FRAME * (index + 1) + shift, FRAME) for index, shift in enumerate(jitter)
    ]
    moved = [placed for placed in placements if not placed.contiguous]
    assert all(placed.silence + placed.cut >= DRIFT for placed in moved)
    assert len(moved) <= len(jitter) * FRAME / 10


@given(st.lists(st.floats(2 * JITTER, 600.0), max_size=8))
def test_sound_behind_gaps_stands_where_its_stamps_say(gaps: list[float]) -> None:
    wanted, start = [], 0.0
    for gap in gaps:
        wanted += regular(start, 30)
        start = wanted[-1] + FRAME + gap
    assert place_all(list(wanted)) == pytest.approx(wanted)


def test_a_first_stamp_is_taken_exactly() -> None:
    assert place_all([0.004]) == [0.004]


def test_what_lies_before_media_time_0_is_cut_off() -> None:
    placed = Timeline().place(-0.007, FRAME)
    assert (placed.start, placed.cut) == (0.0, 0.007)


def test_a_gap_of_a_few_milliseconds_counts_after_a_loss_only() -> None:
    for loss in (False, True):
        timeline = Timeline()
        timeline.place(0.0, FRAME)
        if loss:
            timeline.expect_loss()
        gap = timeline.place(FRAME + 3 * EXACT, FRAME).silence
        assert gap == pytest.approx(3 * EXACT if loss else 0.0)


def test_an_overlap_is_cut_so_that_what_follows_stands_right() -> None:
    starts = place_all([*regular(0.0, 100), *regular(1.5, 100)])
    assert starts[-1] == pytest.approx(1.5 + 99 * FRAME)
    assert len(starts) == 175  # half a second, 25 frames, was there already


def test_stamps_that_start_anew_are_joined_on_without_losing_a_frame() -> None:
    assert place_all([*regular(0.0, 100), *regular(0.0, 100)]) == pytest.approx(regular(0.0, 200))


def test_stamps_that_come_back_after_a_jump_are_believed_again() -> None:
    stamps = [*regular(0.0, 50), *regular(5000.0, 50), *regular(2.0, 50)]
    assert place_all(list(stamps), duration=10.0) == pytest.approx(regular(0.0, 150))


def test_a_gap_beyond_the_end_of_the_media_is_a_broken_stamp() -> None:
    timeline = Timeline(duration=60.0)
    timeline.place(0.0, FRAME)
    placed = timeline.place(1e6, FRAME)
    assert placed.jumped
    assert placed.start == FRAME


def test_a_clock_that_runs_slow_is_followed() -> None:
    """100 ppm over an hour: 0.36 s if it were not."""
    starts = place_all([FRAME * index * 1.0001 for index in range(180_000)])
    assert starts[-1] == pytest.approx(FRAME * 179_999 * 1.0001, abs=2 * DRIFT)


def test_one_stray_stamp_between_good_ones_is_told_from_a_gap() -> None:
    assert is_stray(end=10.0, stamp=500.0, duration=FRAME, following=10.02)
    assert not is_stray(end=10.0, stamp=500.0, duration=FRAME, following=500.02)
    assert not is_stray(end=10.0, stamp=10.0, duration=FRAME, following=500.0)
    assert not is_stray(end=10.0, stamp=500.0, duration=FRAME, following=None)


@pytest.mark.parametrize("advance", [0.0, FRAME / 1000, FRAME / 2, 0.74 * FRAME])
def test_stamps_that_stand_still_or_are_too_slow_cost_no_sound(advance: float) -> None:
    starts = place_all([advance * index for index in range(500)])
    assert starts == pytest.approx(regular(0.0, 500))


def test_stamps_that_stand_still_for_a_while_cost_no_sound() -> None:
    stamps: list[float | None] = [*regular(0.0, 100), *[1.98] * 100, *regular(4.0, 100)]
    assert place_all(stamps) == pytest.approx(regular(0.0, 300))


@given(st.lists(st.floats(-0.3, 0.3), min_size=100, max_size=300))
def test_stamps_that_jump_about_cost_little_sound(noise: list[float]) -> None:
    stamps = [FRAME * index + shift for index, shift in enumerate(noise)]
    timeline = Timeline()
    cut = sum(timeline.place(stamp, FRAME).cut for stamp in stamps)
    assert cut <= 0.7 * (1 + len(noise) * FRAME / 2)


def test_sound_that_is_joined_on_keeps_its_length_whatever_its_stamps_say() -> None:
    timeline = Timeline()
    timeline.place(0.0, 1.0)
    assert not timeline.goes_back(1.0 - JITTER / 2)
    assert timeline.goes_back(0.5)
    timeline.join(0.5)
    assert [timeline.place(stamp, FRAME).start for stamp in regular(0.5, 3)] == pytest.approx(
        regular(1.0, 3)
    )
    assert timeline.silence == 0.0
