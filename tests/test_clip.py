from __future__ import annotations

import doctest
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino import clip
from subvino.audio import SAMPLE_RATE, Audio
from subvino.clip import Clip, clip_audio, heard_seconds, join_clips, parse_clips
from subvino.errors import OptionError
from tests.clips import in_blocks

MOMENTS = st.integers(0, 40).map(lambda n: n / 32)  # sums of which are exact
CLIPS = st.lists(
    st.builds(
        lambda start, length: Clip(start, None if length is None else start + length),
        MOMENTS,
        st.none() | st.integers(1, 30).map(lambda n: n / 32),
    ),
    min_size=1,
    max_size=4,
).map(join_clips)


def test_the_examples_in_the_docstrings_hold() -> None:
    results = doctest.testmod(clip)
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0:10-1:30,2:00-", (Clip(10, 90), Clip(120))),
        ("-5", (Clip(0, 5),)),
        (" 90.5 - 1:02:03.25 ", (Clip(90.5, 3723.25),)),
        ("3-9,1-4", (Clip(1, 9),)),
        ("1-2,2-", (Clip(1),)),
        ("0:90:00-", None),
        ("1:60-", None),
        ("", None),
        ("1-2,", None),
        ("-", None),
        ("0:10", None),
        ("5-5", None),
        ("-0", None),
        ("1-2-3", None),
        ("1e3-", None),
        ("nan-", None),
        ("٣-٤", None),
        ("9" * 400 + "-", None),
    ],
)
def test_ranges_are_read_as_people_write_them(text: str, parts: tuple[Clip, ...] | None) -> None:
    if parts is not None:
        assert parse_clips(text) == parts
        return
    with pytest.raises(OptionError) as caught:
        parse_clips(text)
    assert len(str(caught.value)) < 140


@given(CLIPS, st.integers(1_000, 20_000))
def test_exactly_the_sound_in_the_clips_is_heard_at_its_time(
    clips: tuple[Clip, ...], n_samples: int
) -> None:
    samples = np.arange(SAMPLE_RATE, dtype=np.float32)
    wanted = [
        n
        for n in range(len(samples))
        if any(clip.start <= n / SAMPLE_RATE < clip.until for clip in clips)
    ]
    heard: list[int] = []
    for part in clip_audio(in_blocks(samples, n_samples), clips):
        assert part.samples[0] == round(part.start * SAMPLE_RATE)
        heard += part.samples.astype(int).tolist()
    assert heard == wanted
    assert heard_seconds(clips, 1.0) == pytest.approx(len(heard) / SAMPLE_RATE)


def test_nothing_is_read_after_the_last_clip() -> None:
    def blocks() -> Iterator[Audio]:
        yield Audio(np.ones(SAMPLE_RATE, np.float32))
        yield Audio(np.ones(SAMPLE_RATE, np.float32), 1.0)
        raise AssertionError("read on")

    (part,) = clip_audio(blocks(), [Clip(1.25, 2.0)])
    assert (part.start, part.end) == (1.25, 2.0)


def test_without_clips_all_is_heard() -> None:
    whole = [Audio(np.ones(5, np.float32), 7.0)]
    assert list(clip_audio(whole, ())) == whole
    assert heard_seconds((), 7.0) == 7.0


@pytest.mark.parametrize(("start", "end"), [(1.0, 1.0), (-1.0, None), (math.nan, 2.0)])
def test_a_clip_of_nothing_is_refused(start: float, end: float | None) -> None:
    with pytest.raises(OptionError):
        Clip(start, end)
