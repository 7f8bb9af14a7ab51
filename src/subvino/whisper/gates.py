"""The gates: whether a window's text can be believed, and what is tried where it can't.

Floor 2 of the road. Pure, given a tokenizer. In this order: all states and beams where the draft is
in doubt, halves of the window, other temperatures. Beams come first as they cost least, halves
before temperatures as they need no luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from subvino.audio import Window
from subvino.recognizer import DecodingOptions
from subvino.tokenizer import Tokenizer
from subvino.whisper.attempt import Attempt
from subvino.whisper.hypothesis import Hypothesis
from subvino.whisper.occupant import Occupant
from subvino.whisper.quality import compression_ratio, is_looping
from subvino.whisper.recording import DecodedPart

MAX_DEPTH = 2
"""Cuts of cuts of a window."""

_SHORTEST_DRAFT = 5.0
"""Seconds: of 258 shorter windows the greedy text was in doubt in 86 %, of 228 longer ones in 55,
so that a draft of these is work for nothing."""

_SHORTEST_PHRASE = 3
"""Tokens: the mean of fewer says little."""

LANGUAGE_WEIGHT = 0.15
"""Of the language's log-probability beside the mean log-probability of a text in it. Of 63 short
clips whose language is in doubt 10 are taken for another without it, 3 at 0.15 and 5 at 0.3."""

_SHORTEST_SPLIT = 8.0  # seconds: halves of a shorter window have too little context


def split_phrases(said: Hypothesis, timestamp_begin: int) -> list[tuple[float, ...]]:
    """The log-probabilities of the text tokens between timestamps."""
    phrases: list[list[float]] = [[]]
    for token, logprob in zip(said.tokens, said.logprobs, strict=False):
        if token < timestamp_begin:
            phrases[-1].append(logprob)
        elif phrases[-1]:
            phrases.append([])
    return [tuple(phrase) for phrase in phrases if phrase]


def is_doubtful_phrase(logprobs: Sequence[float], sure: float) -> bool:
    """Whether the mean is below this, of as many as say something."""
    return len(logprobs) >= _SHORTEST_PHRASE and sum(logprobs) / len(logprobs) < sure


class Gates:
    """Judges attempts by one set of options."""

    def __init__(
        self, tokenizer: Tokenizer, options: DecodingOptions, *, can_merge: bool = False
    ) -> None:
        """can_merge: whether drafts can be heard in fewer states than other attempts."""
        self._tokenizer, self._options = tokenizer, options
        self._can_merge = can_merge

    def drafts(self, window: Window) -> bool:
        """Whether the window is decoded greedily, in merged states, and otherwise if in doubt."""
        options = self._options
        is_asked = (options.sure_logprob or 0) < 0 and options.temperatures[0] == 0
        is_cheaper = options.beam_size > 1 or self._can_merge
        return is_asked and is_cheaper and window.duration >= _SHORTEST_DRAFT

    def text_tokens(self, hypothesis: Hypothesis) -> list[int]:
        """The tokens of its text, without timestamps."""
        return [token for token in hypothesis.tokens if token < self._tokenizer.eot]

    def attempt(self, one: Occupant) -> Attempt:
        """What the window has said, now that it is at the end."""
        finished = one.ended or [hypothesis for hypothesis in one.live if hypothesis.ended]
        best = max(finished or one.live, key=lambda hypothesis: hypothesis.avg_logprob)
        tokens = self.text_tokens(best)
        text = self._tokenizer.decode(tokens)
        return Attempt(
            hypothesis=best,
            temperature=one.temperature,
            no_speech_prob=one.no_speech_prob,
            compression_ratio=compression_ratio(text) if text else 1.0,
            loops=is_looping(tokens),
            leaks=one.leaks(tokens),
        )

    def only_loops(self, one: Occupant) -> bool:
        """Whether nothing new is to be expected: the best beam loops, or every sample does."""
        going = [hypothesis for hypothesis in one.live if not hypothesis.ended]
        watched = going[:1] if one.temperature == 0 else going
        return bool(watched) and all(is_looping(self.text_tokens(live)) for live in watched)

    def is_sure(self, draft: Attempt) -> bool:
        """No beams need look for better text than the greedy one, nor for any phrase of it."""
        said, sure = draft.hypothesis, self._options.sure_logprob
        if sure is None:
            return True
        is_likely = draft.passes(self._options) and said.avg_logprob >= sure
        return is_likely and not self._has_doubtful_phrase(said, sure)

    def is_hopeless(self, draft: Hypothesis) -> bool:
        """Whether a phrase that has just come to its end is in doubt, as then the whole is."""
        sure = self._options.sure_logprob
        if sure is None or not draft.tokens or draft.tokens[-1] < self._tokenizer.timestamp_begin:
            return False
        return self._has_doubtful_phrase(draft, sure)

    def _has_doubtful_phrase(self, said: Hypothesis, sure: float) -> bool:
        phrases = split_phrases(said, self._tokenizer.timestamp_begin)
        return any(is_doubtful_phrase(phrase, sure) for phrase in phrases)

    def in_language(self, attempt: Attempt, probability: float) -> tuple[bool, float]:
        """How likely a text in a language is; the greatest of several tells the language.

        probability: of the language, as the model heard it before it wrote anything.
        """
        heard = LANGUAGE_WEIGHT * math.log(max(probability, 1e-6))
        return attempt.passes(self._options), attempt.hypothesis.avg_logprob + heard

    def can_split(self, one: Occupant) -> bool:
        """Whether its halves are to be decoded instead of it."""
        long_enough = one.sound.window.duration >= _SHORTEST_SPLIT
        return len(one.attempts) == 1 and one.entry.depth < MAX_DEPTH and long_enough

    def next_temperature(self, one: Occupant) -> float | None:
        """Of the next attempt: the same while samples of it are to be drawn, then the next."""
        n_samples = 1 if one.width > 1 else self._options.best_of
        plan = [
            temperature
            for temperature in self._options.temperatures
            for _ in range(n_samples if temperature > 0 else 1)
        ]
        return plan[len(one.attempts)] if len(one.attempts) < len(plan) else None

    def kept(self, one: Occupant) -> Attempt:
        """The last attempt if it passes; else the draft, or the likeliest that does not loop."""
        tried = [*one.attempts, one.draft] if one.draft is not None else one.attempts
        passing = next((a for a in reversed(one.attempts) if a.passes(self._options)), None)
        if passing is None:
            passing = next((a for a in tried if a.passes(self._options)), None)
        return passing or max(
            tried, key=lambda a: (not a.loops, not a.leaks, a.hypothesis.avg_logprob)
        )

    def said(self, parts: Sequence[DecodedPart]) -> Iterator[int]:
        """Text tokens of a window's parts, for the next window or part to go on from.

        Only what can be believed: from a loop the model would go on looping.
        """
        for part in parts:
            attempt = part.attempt
            if attempt.passes(self._options) and not attempt.is_silence(self._options):
                yield from self.text_tokens(attempt.hypothesis)
