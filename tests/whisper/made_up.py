"""Attempts and windows made by hand, with the words of a small tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subvino.audio import SAMPLE_RATE, SpeechSegment, Window, WindowSound
from subvino.tokenizer import Tokenizer
from subvino.whisper.attempt import Attempt
from subvino.whisper.hypothesis import Hypothesis
from subvino.whisper.recording import DecodedPart
from tests.tiny_checkpoints import write_tokenizer

N_VOCAB = 2000


def make_tokenizer(folder: Path) -> Tokenizer:
    """Each byte of a text is a token."""
    write_tokenizer(folder / "tokenizer.json", N_VOCAB)
    return Tokenizer(folder / "tokenizer.json")


def spoken(tokenizer: Tokenizer, *said: str | float) -> tuple[int, ...]:
    """Tokens of texts and of times (seconds)."""
    return tuple(
        token
        for one in said
        for token in (
            tokenizer.encode(one)
            if isinstance(one, str)
            else [tokenizer.timestamp_begin + round(one / 0.02)]
        )
    )


def attempt(
    tokens: Sequence[int],
    *,
    logprob: float = -0.1,
    no_speech_prob: float = 0.0,
    onsets: Sequence[int] | None = None,
) -> Attempt:
    """Each token, and the end, as likely as the others."""
    said = Hypothesis(tuple(tokens), (logprob,) * (len(tokens) + 1), ended=True)
    frames = None if onsets is None else np.array(onsets, np.int64)
    return Attempt(said, 0.0, no_speech_prob, 1.0, loops=False, onsets=frames)


def window(*spans: tuple[float, float]) -> WindowSound:
    """Loud sound with short closures, as of speech, all of it speech."""
    parts = tuple(SpeechSegment(start, end) for start, end in spans)
    n_samples = round(sum(end - start for start, end in spans) * SAMPLE_RATE)
    places = np.arange(n_samples)
    is_dip = places % 8_000 < 960  # 60 ms in every half second: closures, too short for pauses
    samples = np.where(is_dip, 1e-3, 0.3) * np.where(places % 2, 1, -1)
    return WindowSound(Window(parts, parts), samples.astype(np.float32))


def part(sound: WindowSound, kept: Attempt, language: str = "en") -> DecodedPart:
    return DecodedPart(sound, kept, language, 1.0)
