"""Tokens of a window → segments with their times.

Floor 2 of the road. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from subvino.tokenizer import SECONDS_PER_TIMESTAMP


class TimedTokens(NamedTuple):
    """Text tokens between two timestamps; start and end are window time, seconds.

    first: place of the first text token among the window's tokens.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    first: int
    start: float
    end: float


def split_at_timestamps(
    tokens: Sequence[int],
    logprobs: Sequence[float],
    timestamp_begin: int,
    duration: float,
) -> list[TimedTokens]:
    """The text between timestamps, in order; text that no timestamp closes ends with the window.

    logprobs: one a token. duration: of the window, seconds; no time is later.
    """
    pieces: list[TimedTokens] = []
    first, start = 0, 0.0
    closing = timestamp_begin + math.ceil(duration / SECONDS_PER_TIMESTAMP)
    for place, token in enumerate([*tokens, closing]):
        if token < timestamp_begin:
            continue
        time = min((token - timestamp_begin) * SECONDS_PER_TIMESTAMP, duration)
        if place > first:
            piece = slice(first, place)
            end = max(time, start)
            pieces.append(
                TimedTokens(tuple(tokens[piece]), tuple(logprobs[piece]), first, start, end)
            )
        first, start = place + 1, time
    return pieces
