"""Speech that a window's text leaves out.

Floor 2 of the road. Pure. Whisper sometimes ends early or jumps over a passage; its timestamps and
the speech that was detected tell where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from subvino.alignment import ATTENTION_LEAD, SECONDS_PER_STATE
from subvino.audio import WindowSound
from subvino.tokenizer import SECONDS_PER_TIMESTAMP
from subvino.whisper.attempt import Attempt
from subvino.windows import to_window_time

MIN_MISSED = 1.0
"""Seconds of speech in one go that must be without text: timestamps are good to about half that."""

_MARGIN = 0.1  # seconds heard again on both sides of what was missed


def owed_time(sound: WindowSound) -> int:
    """The timestamp, counted from 0.00 s, before which the window's text may not end.

    Whisper was taught to leave the last sentence to the next window where the window cuts it off.
    Windows here are decoded at once, each by itself, so nobody else would tell that sentence.
    """
    if not sound.window.speech:
        return 0
    end = to_window_time(sound.window, sound.window.speech[-1].end)
    return max(round((end - MIN_MISSED) / SECONDS_PER_TIMESTAMP), 0)


def find_missed(
    sound: WindowSound, attempt: Attempt, timestamp_begin: int
) -> list[tuple[float, float]]:
    """(start, end) in media time of each stretch of speech that has no text."""
    covered = _covered(attempt, timestamp_begin)
    if not covered:
        return []
    missed = []
    for part in sound.window.speech:
        low, high = (to_window_time(sound.window, time) for time in (part.start, part.end))
        for start, end in _uncovered(low, high, covered):
            if end - start >= MIN_MISSED:
                offset = part.start - low
                missed.append((start + offset - _MARGIN, end + offset + _MARGIN))
    return missed


def _covered(attempt: Attempt, timestamp_begin: int) -> list[tuple[float, float]]:
    """Window times that have text, in order: by timestamps, and at the end by attention too."""
    stretches: list[tuple[float, float]] = []
    start, has_text = 0.0, False
    for token in attempt.hypothesis.tokens:
        if token < timestamp_begin:
            has_text = True
            continue
        time = (token - timestamp_begin) * SECONDS_PER_TIMESTAMP
        if has_text:
            stretches.append((start, time))
        start, has_text = time, False
    if has_text:
        stretches.append((start, float("inf")))
    if stretches and attempt.onsets is not None:
        first, last = stretches[-1]
        heard = float(attempt.onsets[-1]) * SECONDS_PER_STATE + ATTENTION_LEAD
        stretches[-1] = (first, max(last, heard) if last != float("inf") else last)
    return stretches


def _uncovered(
    low: float, high: float, covered: Sequence[tuple[float, float]]
) -> Iterable[tuple[float, float]]:
    """What of the range is not in the stretches."""
    at = low
    for start, end in covered:
        if start > at:
            yield at, min(start, high)
        at = max(at, end)
        if at >= high:
            return
    yield at, high
