"""A window in a slot: what it is fed, what it has said, and whether that can be believed.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from subvino.alignment import Frames
from subvino.audio import WindowSound
from subvino.recognizer import DecodingOptions
from subvino.whisper.hypothesis import Hypothesis

PHRASE_TOKENS = 5
"""So many tokens of the prompt in a row, said again, are a leak and not a coincidence."""


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


@dataclass(slots=True)
class Occupant:
    """A window in a slot, from its entry to its last attempt; changed in place by the loop.

    index: of the window among all; depth: 0, or how often it was cut out of one.
    whole: code of the language of the window that it was cut out of; None if it was not.
    previous: ids of text before this window, for the model to go on from; () for none.
    prompt: what is fed before anything is chosen; its end is known once the language is.
    splits: its text failed and its halves are decoded instead.
    """

    index: int
    depth: int
    whole: str | None
    sound: WindowSound
    previous: Sequence[int]
    prompt: Sequence[int]
    live: list[Hypothesis]
    ended: list[Hypothesis] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    n_fed: int = 0
    temperature: float = 0.0
    no_speech_prob: float = 0.0
    language: tuple[str, float] = ("", 0.0)
    loops: bool = False
    splits: bool = False

    @property
    def is_choosing(self) -> bool:
        """The prompt has been fed: the last logits say what follows."""
        return self.n_fed >= len(self.prompt)

    @property
    def n_chosen(self) -> int:
        """Tokens chosen so far by the longest hypothesis, its end included."""
        return max(len(one.logprobs) for one in self.live)

    def next_tokens(self, eot: int) -> list[int]:
        """What to feed: a prompt token to all hypotheses, or the last token of each."""
        if self.n_fed < len(self.prompt):
            return [self.prompt[self.n_fed]] * len(self.live)
        return [eot if one.ended else one.tokens[-1] for one in self.live]

    def begin(self, temperature: float, n_fed: int) -> None:
        """Start again after the first `n_fed` tokens of the prompt."""
        self.temperature, self.n_fed, self.loops = temperature, n_fed, False
        self.live, self.ended = [Hypothesis()] * len(self.live), []

    def forget_previous(self, sot: int) -> None:
        """Go on without text before this window."""
        self.previous, self.prompt = (), self.prompt[self.prompt.index(sot) :]

    def leaks(self, tokens: Sequence[int]) -> bool:
        """Whether the text says what the prompt says."""
        prompt = tuple(self.previous)
        phrases = {prompt[i : i + PHRASE_TOKENS] for i in range(len(prompt) - PHRASE_TOKENS + 1)}
        return any(
            tuple(tokens[i : i + PHRASE_TOKENS]) in phrases
            for i in range(len(tokens) - PHRASE_TOKENS + 1)
        )
