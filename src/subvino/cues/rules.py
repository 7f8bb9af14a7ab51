"""What a cue may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from subvino.errors import OptionError
from subvino.linebreak import LineRules, text_width


@dataclass(frozen=True, slots=True)
class CueRules:
    """What a cue may be; the defaults are the profile `default`.

    max_chars: characters a line; wide ones count 1, others `narrow_width`.
    max_lines: lines a cue.
    max_cps: characters a second, spaces counted, line breaks not.
    max_wpm: words a minute; None where the guide counts characters only.
    min_duration_ms, max_duration_ms: how long a cue is shown.
    min_gap_frames: frames of `frame_rate` (a second) without a cue between two cues.
    chain_gap_ms: a gap shorter than this is closed down to the least one; 0 leaves gaps alone.
    max_linger_ms: how long after the speech a cue may stay so that it can be read.
    """

    max_chars: float = 42
    max_lines: int = 2
    max_cps: float = 20
    max_wpm: float | None = None
    min_duration_ms: int = 833
    max_duration_ms: int = 7000
    min_gap_frames: int = 2
    frame_rate: float = 24.0
    chain_gap_ms: int = 500
    max_linger_ms: int = 1000
    narrow_width: float = 1.0

    def __post_init__(self) -> None:
        """Raises OptionError where a rule makes no sense."""
        _check_range("max_chars", self.max_chars, 1, 1000)
        _check_range("max_lines", self.max_lines, 1, 10)
        _check_range("max_cps", self.max_cps, 0.1, 1000)
        _check_range("max_wpm", self.max_wpm or 1, 1, 10000)
        _check_range("max_duration_ms", self.max_duration_ms, 100, 3_600_000)
        _check_range("min_duration_ms", self.min_duration_ms, 0, self.max_duration_ms)
        _check_range("min_gap_frames", self.min_gap_frames, 0, 1000)
        _check_range("frame_rate", self.frame_rate, 1, 1000)
        _check_range("chain_gap_ms", self.chain_gap_ms, 0, 60_000)
        _check_range("max_linger_ms", self.max_linger_ms, 0, 60_000)
        _check_range("narrow_width", self.narrow_width, 0.1, 10)

    @property
    def min_gap_ms(self) -> int:
        """`min_gap_frames` in milliseconds."""
        return round(self.min_gap_frames * 1000 / self.frame_rate)

    @property
    def line_rules(self) -> LineRules:
        """The part that decides line breaks."""
        return LineRules(self.max_chars, self.max_lines, self.narrow_width)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise OptionError(f"{name} is {value}; it must lie between {low} and {high}")


def count_chars(lines: Sequence[str], rules: CueRules) -> float:
    """Characters of all lines as the rules count them."""
    return sum(text_width(line, rules.narrow_width) for line in lines)
