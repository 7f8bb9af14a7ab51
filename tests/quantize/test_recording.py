from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from subvino.errors import CalibrationError
from subvino.features import log_mel
from subvino.network import ModelFolder
from subvino.quantize.recording import DecoderInputs, Limits, Recording, record
from tests.quantize.conftest import CLIPS, ignore
from tests.sounds import Track, write_media


def test_every_window_and_steps_of_each_are_recorded(recording: Recording) -> None:
    assert [mel.shape for mel in recording.mels] == [(1, 80, 3000)] * 2
    windows = [step.window for step in recording.steps]
    assert windows == [0, 0, 0, 1, 1, 1]
    assert recording.n_steps_seen > len(recording.steps)


def test_windows_hold_the_sound_of_the_clips(recording: Recording) -> None:
    # Silence has one value in log-mel; both windows have speech, and not the same.
    assert all(np.ptp(mel) > 1 for mel in recording.mels)
    assert not np.array_equal(recording.mels[0], recording.mels[1])
    silence = log_mel(np.zeros(16_000, np.float32), 80)
    assert np.ptp(silence) < 1e-6


def test_no_more_windows_are_recorded_than_asked_for(exact_model: ModelFolder) -> None:
    found = record(exact_model, CLIPS, Limits(windows=1, steps=2), ignore)
    assert len(found.mels) == 1
    assert {step.window for step in found.steps} == {0}


def test_the_decoder_says_on_what_was_recorded_what_it_said_while_recording(
    exact_model: ModelFolder, recording: Recording
) -> None:
    """Fed with the recorded steps, it makes the keys that later steps were recorded with."""
    core = ov.Core()
    encoder = core.read_model(exact_model.path / "encoder.xml")
    exact = {"EXECUTION_MODE_HINT": "ACCURACY"}
    decoder = core.compile_model(exact_model.path / "decoder.xml", "CPU", exact)
    request = decoder.create_infer_request()
    steps = list(DecoderInputs(encoder, recording))
    assert len(steps) == len(recording.steps)
    for first, last in ((0, 2), (3, 5)):
        request.infer(steps[first])
        present = request.get_tensor("present").data
        n = steps[first]["positions"].shape[1]
        past = steps[last]["past_0"][:, :, :n]
        np.testing.assert_allclose(past, present[0], atol=2e-3)  # it was kept in halves


def test_the_digest_tells_recordings_apart(exact_model: ModelFolder, recording: Recording) -> None:
    again = record(exact_model, CLIPS, Limits(windows=2, steps=3), ignore)
    assert again.digest() == recording.digest()
    other = Recording(recording.mels[::-1], recording.steps)
    assert other.digest() != recording.digest()


def test_silence_is_nothing_to_calibrate_with(exact_model: ModelFolder, tmp_path: Path) -> None:
    silence = write_media(
        tmp_path / "silence.wav", Track(np.zeros(32_000, np.float32), "pcm_s16le", 16_000)
    )
    with pytest.raises(CalibrationError, match="nobody speaks"):
        record(exact_model, [silence], Limits(), ignore)
