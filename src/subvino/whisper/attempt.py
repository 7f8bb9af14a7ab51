"""An attempt at a window's text, and whether it can be believed.

Floor 2 of the road. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from subvino.alignment import Frames
from subvino.recognizer import DecodingOptions
from subvino.whisper.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class Attempt:
    """A window's text as one decoding gave it.

    loops: it was cut short for repeating itself.
    leaks: it says what the prompt says.
    onsets: the states at which its text tokens begin, and the one after; None if not asked for.
    """

    hypothesis: Hypothesis
    temperature: float
    no_speech_prob: float
    compression_ratio: float
    loops: bool
    leaks: bool = False
    onsets: Frames | None = field(default=None, compare=False)

    def is_silence(self, options: DecodingOptions) -> bool:
        """Nothing was said, as far as the model can tell."""
        return (
            self.no_speech_prob > options.max_no_speech_prob
            and self.hypothesis.avg_logprob < options.min_avg_logprob
        )

    def passes(self, options: DecodingOptions) -> bool:
        """It need not be decoded again."""
        return self.is_silence(options) or (
            not self.loops
            and not self.leaks
            and self.compression_ratio <= options.max_compression_ratio
            and self.hypothesis.avg_logprob >= options.min_avg_logprob
        )
