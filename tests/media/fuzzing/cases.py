"""One damaged file down the real road, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from subvino.audio import SAMPLE_RATE, Audio, Samples
from subvino.errors import DamagedMediaError, InputError
from subvino.media import AudioStream, read_audio

TOLERANCE = 0.25
"""Seconds by which a file may hold less sound than its seed before it counts as a loss: a few
frames of a codec and its delay."""


MP3_FRAME = 1_441
"""Bytes of the longest frame of an MP3: 320 kbit/s at 32 kHz."""


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    verdict: "whole" (as much sound as the seed), "noted" (the same, and something was odd), "told"
        (sound, and an error that says what is missing), "refused" (an error, no sound),
        "untold" (less sound than the seed and no error), "traceless" (the same of a form that does
        not tell how much there should be).
    detail: the error, what was noted, or seconds.
    """

    verdict: str
    detail: str = ""


@dataclass(frozen=True)
class Sound:
    """What was heard of a file: seconds in all, and without digital silence."""

    seconds: float
    heard: float


def hear(path: Path) -> tuple[Sound, AudioStream]:
    """All the sound of a file; checks what every reader of it relies on."""
    end = heard = 0.0
    with read_audio(path) as stream:
        for block in stream:
            _check_block(block, end)
            end = block.end
            heard += sum(float(part.any()) for part in _tenths(block.samples)) / 10
    return Sound(end, heard), stream


def judge(path: Path, seed: Sound, is_counted: bool) -> Outcome:
    """The verdict on a damaged file.

    seed: what the whole one sounds like. is_counted: whether its form tells how much there is.
    """
    try:
        sound, stream = hear(path)
    except InputError as error:
        _check_message(error)
        return Outcome("refused", f"{type(error).__name__}: {error}")
    damage = stream.error()
    noted = [*stream.damage, *(f"gap {start:.1f}-{end:.1f}" for start, end in stream.gaps)]
    if damage is not None:
        _check_message(damage)
        return Outcome("told", str(damage))
    if (missing := seed.heard - sound.heard) > TOLERANCE:
        detail = f"{missing:.1f} of {seed.heard:.1f} s; {'; '.join(noted)}"
        is_traceless = not is_counted or _is_bare_mp3(path)
        return Outcome("traceless" if is_traceless else "untold", detail)
    return Outcome("noted", "; ".join(noted[:5])) if noted else Outcome("whole")


def _is_bare_mp3(path: Path) -> bool:
    """Whether an MP3 is nothing but frames: the one that counted them is gone.

    So is a recording of a radio, which is whole: both begin within a frame, and the first one that
    is left leans on up to 511 bytes of those before it (ISO/IEC 11172-3, main_data_begin). That
    says that there were some, and never how many. More than a frame that is none is a trace.
    """
    data = path.read_bytes()
    if path.suffix != ".mp3" or any(name in data for name in (b"Xing", b"Info", b"VBRI")):
        return False
    with av.open(str(path)) as container:
        first = next(container.demux(audio=0))
    return first.pos is not None and first.pos < MP3_FRAME


def _tenths(samples: Samples) -> list[Samples]:
    n = SAMPLE_RATE // 10
    return [samples[first : first + n] for first in range(0, len(samples), n)]


def _check_block(block: Audio, end: float) -> None:
    if block.start != end:
        raise AssertionError(f"a block starts at {block.start}, the one before ended at {end}")
    if not np.isfinite(block.samples).all() or np.abs(block.samples).max(initial=0.0) > 1.0:
        raise AssertionError("samples outside [-1, 1]")


def _check_message(error: InputError) -> None:
    if "\n" in str(error) or "Traceback" in str(error) or error.path not in str(error):
        raise AssertionError(f"no message for users: {error}")
    if isinstance(error, DamagedMediaError) and error.lost is not None and error.lost < 0:
        raise AssertionError(f"a loss of {error.lost} s")
