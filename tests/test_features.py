"""Log-mel against openai-whisper's values, and what follows from its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.features import FRAME_LENGTH, HOP_LENGTH, N_FRAMES, log_mel, mel_filters

DATA = Path(__file__).parent / "data"
ROUNDING = 1e-6
"""The logarithm of one number differs in its last bit between a SIMD loop and its remainder."""


def read_clip(name: str) -> npt.NDArray[np.float32]:
    """The clip's samples: float32 (n,), 16 kHz."""
    import av

    with av.open(str(DATA / "speech" / f"{name}.flac")) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32) / 2.0**15


def noise(n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n).astype(np.float32)


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("name", ["p225_020", "aishell_0121"])
def test_speech_gives_the_reference_implementations_values(name: str, n_mels: int) -> None:
    with np.load(DATA / "log_mel.npz") as references:
        expected = references[f"{name}/{n_mels}"]
        found = log_mel(read_clip(name), n_mels)[:, :: int(references["frame_step"])]
    # 3e-5 seen, near the floor, where the float32 spectrum rounds; typically 1e-7.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert float(np.sqrt(np.mean((found - expected) ** 2))) < 2e-6


def test_silence_and_no_samples_at_all_are_flat() -> None:
    for samples in (np.zeros(0, np.float32), np.zeros(16_000, np.float32)):
        np.testing.assert_allclose(
            log_mel(samples, 80), np.full((80, N_FRAMES), -1.5), atol=ROUNDING
        )


@settings(max_examples=20, deadline=None)
@given(n=st.integers(0, 60 * HOP_LENGTH), n_mels=st.sampled_from([80, 128]))
def test_frames_skipped_in_the_padding_are_as_if_computed(n: int, n_mels: int) -> None:
    short = noise(n)
    padded = np.zeros(60 * HOP_LENGTH, np.float32)
    padded[:n] = short
    found, expected = log_mel(short, n_mels, 60), log_mel(padded, n_mels, 60)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING)


def test_a_shorter_window_has_the_values_of_the_full_one() -> None:
    samples = noise(100 * HOP_LENGTH - 400)
    full = log_mel(samples, 80)
    np.testing.assert_allclose(log_mel(samples, 80, 110), full[:, :110], rtol=0, atol=ROUNDING)


def test_a_tone_is_loudest_in_the_band_around_its_frequency() -> None:
    time = np.arange(16_000) / 16_000
    for hz in (250.0, 1000.0, 3000.0, 7000.0):
        tone = (0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32)
        band = int(log_mel(tone, 80)[:, 50].argmax())
        bin_hz = np.arange(FRAME_LENGTH // 2 + 1) * 40.0
        heard = bin_hz[mel_filters(80)[band] > 0]
        assert heard.min() - 40 <= hz <= heard.max() + 40


def test_nothing_lies_more_than_eight_decades_below_the_loudest() -> None:
    mel = log_mel(np.concatenate([noise(8000), np.zeros(8000, np.float32)]), 80)
    assert mel.max() - mel.min() == pytest.approx(2.0, abs=1e-6)


def test_the_samples_are_left_as_they_were_and_filters_cannot_be_changed() -> None:
    samples = noise(1000)
    before = samples.copy()
    log_mel(samples, 80)
    np.testing.assert_array_equal(samples, before)
    with pytest.raises(ValueError, match="read-only"):
        mel_filters(80)[0, 0] = 1.0


def test_the_result_is_float32_in_one_block() -> None:
    mel = log_mel(noise(5000), 128)
    assert mel.shape == (128, 3000)
    assert mel.dtype == np.float32
    assert mel.flags.c_contiguous


def test_samples_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="480001 samples don't fit in 3000 frames"):
        log_mel(np.zeros(480_001, np.float32), 80)
