from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from joined import PAUSE, encode_aac, join_clips, read_samples
from made_sound import MAKERS, SECONDS, write_wav
from recording import media_seconds, repeat_sound

from subvino.evaluate import Clip, Manifest, TimedText
from subvino.evaluate.manifest import Span


def manifest(folder: Path) -> Manifest:
    """Two clips of 2 and 3 s; of the second only the first second's text is known."""
    clips = []
    for name, seconds in (("a", 2), ("b", 3)):
        write_wav(folder / f"{name}.wav", [np.full(16_000 * seconds, 0.25)])
    clips = [
        Clip("a", folder / "a.wav", "one two", "en", pieces=(TimedText("one two", None, None),)),
        Clip(
            "b",
            folder / "b.wav",
            "three four",
            "en",
            pieces=(TimedText("three", 0.0, 1.0), TimedText("four", 1.0, 2.0)),
            excluded=(Span(1.0, math.inf),),
        ),
    ]
    return Manifest("set", tuple(clips))


def test_joined_clips_keep_their_text_and_what_does_not_count(tmp_path: Path) -> None:
    clip = join_clips([manifest(tmp_path)], tmp_path / "joined.wav")
    samples = read_samples(clip.audio)
    assert len(samples) == 16_000 * (2 + 3 + 3 * PAUSE)
    assert [float(abs(samples[round(t * 16_000)])) > 0.2 for t in (0.5, 1.5, 3.5, 4.5)] == [
        *(False, True, False, True)
    ]
    assert (clip.text, clip.language) == ("one two three four", "en")
    assert clip.pieces == (
        TimedText("one two", 1.0, 3.0),
        TimedText("three", 4.0, 5.0),
        TimedText("four", 5.0, 6.0),
    )
    assert clip.excluded == (Span(5.0, 7.0),)


def test_clips_come_again_until_the_minutes_are_full(tmp_path: Path) -> None:
    clip = join_clips([manifest(tmp_path)], tmp_path / "joined.wav", minutes=0.15)
    assert clip.text == "one two three four one two"
    assert len(read_samples(clip.audio)) == 16_000 * (1 + 3 + 4 + 3)


def test_the_recording_gets_the_sound_of_a_video(tmp_path: Path) -> None:
    time = np.arange(32_000) / 16_000
    write_wav(tmp_path / "a.wav", [0.5 * np.sin(2 * np.pi * 440 * time)])
    encode_aac(tmp_path / "a.wav", tmp_path / "a.mp4")
    samples = read_samples(tmp_path / "a.mp4")
    assert len(samples) == pytest.approx(32_000, abs=2048)
    assert float(np.sqrt(np.mean(samples**2))) == pytest.approx(0.5 / math.sqrt(2), rel=0.05)


def test_sound_is_repeated_without_gaps_as_it_is_encoded(tmp_path: Path) -> None:
    time = np.arange(32_000) / 16_000
    write_wav(tmp_path / "a.wav", [0.5 * np.sin(2 * np.pi * 440 * time)])
    encode_aac(tmp_path / "a.wav", tmp_path / "a.mp4")
    repeat_sound(tmp_path / "a.mp4", tmp_path / "b.mp4", 5)
    once, samples = (read_samples(tmp_path / name) for name in ("a.mp4", "b.mp4"))
    assert len(samples) == pytest.approx(5 * len(once), rel=0.03)
    assert media_seconds(tmp_path / "b.mp4") == pytest.approx(len(samples) / 16_000, abs=0.1)
    levels = np.sqrt(np.mean(samples[: len(samples) // 800 * 800].reshape(-1, 800) ** 2, axis=1))
    assert np.mean(levels > 0.2) > 0.9


def test_the_sound_without_speech_is_ten_minutes() -> None:
    assert len(MAKERS) * SECONDS == 600


@pytest.mark.parametrize("name", ["dither", "gusts", "dialing", "guitar"])
def test_a_clip_without_speech_is_the_same_whenever_it_is_made(name: str) -> None:
    first, second, other = (MAKERS[name](np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert len(first) == SECONDS * 16_000
    assert np.abs(first).max() <= 1.0
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
