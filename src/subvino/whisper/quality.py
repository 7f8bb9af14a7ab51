"""Whether a decoded text can be believed, from figures that the decoding gives anyway.

Floor 2 of the road. Pure. Thresholds and the compression ratio are openai/whisper's.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

_MIN_LOOP_TOKENS = 24  # covered by repeats before a loop is cut short: a song's refrain is shorter
_MIN_REPEATS = 4
_MAX_PERIOD = 24


def compression_ratio(text: str) -> float:
    """Bytes of the text over its zlib-compressed bytes: high where it repeats itself."""
    raw = text.encode("utf-8")
    return len(raw) / len(zlib.compress(raw))


def is_looping(tokens: Sequence[int]) -> bool:
    """Whether the end of the tokens is one stretch said over and over.

    tokens: of text only: timestamps go on counting while the words repeat.
    """
    return any(
        _n_repeats(tokens, period) * period >= max(_MIN_LOOP_TOKENS, _MIN_REPEATS * period)
        for period in range(1, min(_MAX_PERIOD, len(tokens) // _MIN_REPEATS) + 1)
    )


def _n_repeats(tokens: Sequence[int], period: int) -> int:
    """How often the last `period` tokens stand at the end, one after the other."""
    unit = list(tokens[-period:])
    count = 0
    while list(tokens[len(tokens) - (count + 1) * period : len(tokens) - count * period]) == unit:
        count += 1
    return count
