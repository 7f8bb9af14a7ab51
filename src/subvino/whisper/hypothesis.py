"""Hypotheses: what a row has said so far, and what it may say next.

Floor 2 of the road. Pure. The rules are those of openai/whisper's `ApplyTimestampRules`: text
stands between two timestamps, and time does not run backwards. Its `SuppressBlank` would change
nothing here: what comes first is a timestamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from subvino.graphs.head import FORBIDDEN, Vocabulary

MAX_INITIAL_TIMESTAMP = 50
"""The first segment starts at 1.00 s or earlier (`max_initial_timestamp` in openai/whisper)."""

_NONE = (1, 0)  # a range of timestamps that holds none


class Permission(NamedTuple):
    """What a row may say next: scores added to text and the end, and the timestamps allowed."""

    text: float
    end: float
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Tokens chosen after the prompt, without the end of text, and the model's belief in each.

    sum_logprob: of the tokens, and of the end once `ended`.
    """

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    ended: bool = False

    def followed_by(self, token: int, logprob: float, eot: int) -> Hypothesis:
        """This one and one token more."""
        if token == eot:
            return Hypothesis(self.tokens, (*self.logprobs, logprob), ended=True)
        return Hypothesis((*self.tokens, token), (*self.logprobs, logprob))

    @property
    def sum_logprob(self) -> float:
        """Natural logarithm, <= 0."""
        return sum(self.logprobs)

    @property
    def avg_logprob(self) -> float:
        """Over the tokens and the end of text, as openai/whisper counts."""
        return self.sum_logprob / (len(self.tokens) + 1)


def permitted(tokens: tuple[int, ...], vocabulary: Vocabulary, owed: int = 0) -> Permission:
    """What may follow the tokens said so far.

    owed: the text may not end at a timestamp before this one, counted from 0.00 s: there is speech
        that it leaves out.
    """
    if not tokens:
        return Permission(FORBIDDEN, FORBIDDEN, 0, MAX_INITIAL_TIMESTAMP)
    begin, latest = vocabulary.timestamp_begin, vocabulary.n_timestamps - 1
    last_is_time = tokens[-1] >= begin
    before_is_time = len(tokens) < 2 or tokens[-2] >= begin
    last_time = next((token for token in reversed(tokens) if token >= begin), begin - 1) - begin
    end = FORBIDDEN if last_is_time and last_time < owed else 0.0
    if last_is_time and before_is_time:
        return Permission(0.0, end, *_NONE)
    if last_is_time:
        return Permission(FORBIDDEN, end, last_time, latest)
    return Permission(0.0, 0.0, last_time + 1, latest)


class BeamStep(NamedTuple):
    """The beams after a step: who goes on, from which beam each came, and who has ended."""

    live: tuple[Hypothesis, ...]
    parents: tuple[int, ...]
    ended: tuple[Hypothesis, ...]


def beam_step(
    live: Sequence[Hypothesis],
    tokens: npt.NDArray[np.int32],
    logprobs: npt.NDArray[np.float32],
    eot: int,
) -> BeamStep:
    """The likeliest continuations of the beams, as many as there are beams.

    tokens, logprobs: (beams, beams + 1), each beam's best candidates: one of them may be the end,
    so beams + 1 of each are always enough. Beams with the same past (at the start, all) count once.
    Where the rules leave fewer continuations than beams, the last one stands for the rest.
    """
    candidates = sorted(
        (
            (-(one.sum_logprob + float(logprobs[beam, rank])), beam, rank)
            for beam, one in enumerate(live)
            if one not in live[:beam]
            for rank in range(tokens.shape[1])
        )
    )
    going: list[tuple[int, Hypothesis]] = []
    ended: list[Hypothesis] = []
    for cost, beam, rank in candidates:
        if cost > -FORBIDDEN / 2 and (going or ended):
            break
        following = live[beam].followed_by(
            int(tokens[beam, rank]), float(logprobs[beam, rank]), eot
        )
        if following.ended:
            ended.append(following)
        else:
            going.append((beam, following))
        if len(going) == len(live):
            break
    going = going or [(0, one) for one in ended]
    going += [going[-1]] * (len(live) - len(going))
    return BeamStep(tuple(one for _, one in going), tuple(beam for beam, _ in going), tuple(ended))
