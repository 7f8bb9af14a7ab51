"""The decode loop: windows enter a batch as others leave it, until all have their text.

Floor 2 of the road. A window that fails a quality gate starts again in its slot at a higher
temperature while the others go on. What a window's text will be never depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from subvino.audio import WindowSound
from subvino.features import log_mel
from subvino.recognizer import DecodingOptions
from subvino.tokenizer import Tokenizer
from subvino.whisper.batch import Batch
from subvino.whisper.engine import FLOAT32, INT32, Engine, RowRules
from subvino.whisper.hypothesis import Hypothesis, beam_step, permitted
from subvino.whisper.quality import compression_ratio, is_looping

LANGUAGE_VOTES = 6
"""Windows at the start of a file that are asked for its language."""

_LOOP_CHECK_EVERY = 8  # tokens between looks for a loop


@dataclass(frozen=True, slots=True)
class Attempt:
    """A window's text as one decoding gave it; `loops` where it was cut short for repeating."""

    hypothesis: Hypothesis
    temperature: float
    no_speech_prob: float
    compression_ratio: float
    loops: bool

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
            and self.compression_ratio <= options.max_compression_ratio
            and self.hypothesis.avg_logprob >= options.min_avg_logprob
        )


@dataclass(frozen=True, slots=True)
class DecodedWindow:
    """A window and the attempt that was kept for it."""

    sound: WindowSound
    attempt: Attempt
    language: str
    language_probability: float


@dataclass(slots=True)
class _Occupant:
    """A window in a slot, from its entry to its last attempt; changed in place by the loop."""

    index: int
    sound: WindowSound
    prompt: Sequence[int]
    live: list[Hypothesis]
    ended: list[Hypothesis] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    n_fed: int = 0
    temperature: float = 0.0
    no_speech_prob: float = 0.0
    language: tuple[str, float] = ("", 0.0)
    loops: bool = False

    @property
    def is_choosing(self) -> bool:
        """The prompt has been fed: the last logits say what follows."""
        return self.n_fed >= len(self.prompt)

    def next_tokens(self, eot: int) -> list[int]:
        """What to feed: a prompt token to all hypotheses, or the last token of each."""
        if self.n_fed < len(self.prompt):
            return [self.prompt[self.n_fed]] * len(self.live)
        return [eot if one.ended else one.tokens[-1] for one in self.live]


class Decoder:
    """Decodes windows with one engine and one set of options."""

    def __init__(self, engine: Engine, tokenizer: Tokenizer, options: DecodingOptions) -> None:
        self._engine, self._tokenizer, self._options = engine, tokenizer, options
        self._n_slots = options.batch_size or engine.default_batch_size
        self._width = options.beam_size
        self._batch: Batch | None = None
        self._occupants: list[_Occupant] = []
        self._language: tuple[str, float] | None = None
        if options.language is not None or not tokenizer.is_multilingual:
            self._language = (options.language or tokenizer.languages[0], 1.0)

    def decode(self, sounds: Iterable[WindowSound]) -> Iterator[DecodedWindow]:
        """A result for each window, in order; windows are taken as slots become free."""
        source = enumerate(sounds)
        early: dict[int, DecodedWindow] = {}
        n_given = 0
        while self._fill(source):
            for occupant in self._step():
                early[occupant.index] = self._result(occupant)
            while n_given in early:
                yield early.pop(n_given)
                n_given += 1

    # Entering and leaving

    def _fill(self, source: Iterator[tuple[int, WindowSound]]) -> bool:
        """Let windows into the free slots; False when none is left anywhere."""
        n_wanted = self._n_slots
        if self._language is None:
            n_wanted = min(n_wanted, LANGUAGE_VOTES)
        while len(self._occupants) < n_wanted and (entry := next(source, None)) is not None:
            self._enter(*entry)
        return bool(self._occupants)

    def _enter(self, index: int, sound: WindowSound) -> None:
        if self._batch is None:
            self._batch = Batch(self._engine, self._n_slots, self._width)
        mel = log_mel(sound.samples, self._engine.dimensions.n_mels)
        self._batch.enter(len(self._occupants), mel)
        prompt = [self._tokenizer.sot]
        self._occupants.append(_Occupant(index, sound, prompt, [Hypothesis()] * self._width))

    def _leave(self, slot: int) -> None:
        """Free a slot; the last window moves into it, so that the slots in use come first."""
        last = len(self._occupants) - 1
        if slot != last:
            self._slots.move(last, slot)
            self._occupants[slot] = self._occupants[last]
        self._occupants.pop()

    @property
    def _slots(self) -> Batch:
        assert self._batch is not None, "a window has entered"  # noqa: S101 - our own bug
        return self._batch

    # One token further

    def _step(self) -> list[_Occupant]:
        """Feed a token to every window; gives those that are finished, their slots freed."""
        eot = self._tokenizer.eot
        tokens = np.array([one.next_tokens(eot) for one in self._occupants], np.int32)
        places = np.array([one.n_fed for one in self._occupants], np.int32)
        self._slots.step(tokens, np.repeat(places[:, None], self._width, axis=1))
        starting = [slot for slot, one in enumerate(self._occupants) if one.n_fed == 0]
        for one in self._occupants:
            one.n_fed += 1
        tokens, logprobs = self._engine.choose(self._rules(), self._n_best)
        self._hear_start(starting)
        self._advance(tokens, logprobs)
        finished = [slot for slot, one in enumerate(self._occupants) if self._is_finished(one)]
        done = [self._occupants[slot] for slot in finished]
        for slot in reversed(finished):
            self._leave(slot)
        return done

    def _hear_start(self, slots: Sequence[int]) -> None:
        """What the model says right after the start token: language, and whether anybody speaks."""
        starting = [self._occupants[slot] for slot in slots]
        if not starting:
            return
        scores = self._engine.logits[list(slots), 0]
        silent = _softmax(scores)[:, self._tokenizer.no_speech]
        for one, probability in zip(starting, silent, strict=True):
            one.no_speech_prob = float(probability)
        if self._language is None:
            probabilities = _language_probabilities(self._tokenizer, scores)
            weights = [len(one.sound.samples) for one in starting]
            self._language = next(iter(_vote(self._tokenizer, probabilities, weights).items()))
        for one in starting:
            one.language = self._language
            one.prompt = self._tokenizer.prompt_ids(
                self._language[0], self._options.task, timestamps=True
            )

    @property
    def _n_best(self) -> int:
        """Candidates asked for each row: with the end among them, beams need one more."""
        return 1 if self._width == 1 else self._width + 1

    def _advance(self, tokens: INT32, logprobs: FLOAT32) -> None:
        """Give every window whose prompt is fed its next token."""
        for slot, one in enumerate(self._occupants):
            if not one.is_choosing:
                continue
            rows = slice(slot * self._width, (slot + 1) * self._width)
            if self._width > 1 and one.temperature == 0:
                self._advance_beams(slot, tokens[rows], logprobs[rows])
            else:
                self._advance_each(one, tokens[rows, 0], logprobs[rows, 0])

    def _advance_each(self, one: _Occupant, tokens: INT32, logprobs: FLOAT32) -> None:
        eot = self._tokenizer.eot
        one.live = [
            old if old.ended else old.followed_by(int(token), float(logprob), eot)
            for old, token, logprob in zip(one.live, tokens, logprobs, strict=True)
        ]

    def _advance_beams(self, slot: int, tokens: INT32, logprobs: FLOAT32) -> None:
        one = self._occupants[slot]
        step = beam_step(one.live, tokens, logprobs, self._tokenizer.eot)
        one.live = list(step.live)
        one.ended += step.ended
        self._slots.reorder(slot, step.parents)

    def _rules(self) -> RowRules:
        """What each row may say next, for all windows at once."""
        vocabulary = self._engine.vocabulary
        allowed = [
            permitted(hypothesis.tokens, vocabulary, timestamps=True)
            for one in self._occupants
            for hypothesis in one.live
        ]
        columns = np.array(allowed, np.float32).T.copy()
        temperatures = np.repeat([one.temperature for one in self._occupants], self._width)
        sharpness = 1.0 / np.where(temperatures > 0, temperatures, 1.0)
        return RowRules(
            text=columns[0],
            end=columns[1],
            first=columns[2],
            earliest=columns[3],
            latest=columns[4],
            sharpness=sharpness.astype(np.float32),
            noise=self._noise(temperatures > 0),
        )

    def _noise(self, sampled: npt.NDArray[np.bool_]) -> FLOAT32:
        """Gumbel noise for the rows that are sampled, the same whatever else is in the batch."""
        if not sampled.any():
            return np.zeros((1, 1), np.float32)
        noise = np.zeros((len(sampled), self._engine.vocabulary.n_candidates), np.float32)
        for row in np.flatnonzero(sampled):
            one = self._occupants[row // self._width]
            seed = (one.index, len(one.attempts), one.n_fed, row % self._width)
            noise[row] = np.random.default_rng(seed).gumbel(size=noise.shape[1])
        return noise

    # The end of an attempt

    def _is_finished(self, one: _Occupant) -> bool:
        """Close the window's attempt if it is at its end; True if no other one is needed."""
        if not self._is_at_end(one):
            return False
        attempt = self._attempt(one)
        one.attempts.append(attempt)
        if attempt.passes(self._options) or (following := self._next_temperature(one)) is None:
            return True
        self._restart(one, following)
        return False

    def _is_at_end(self, one: _Occupant) -> bool:
        if not one.is_choosing or not one.live[0].tokens + tuple(one.live[0].logprobs):
            return False
        longest = max(len(hypothesis.tokens) for hypothesis in one.live)
        if self._width == 1 and longest % _LOOP_CHECK_EVERY == 0:
            one.loops = is_looping(self._text_tokens(one.live[0]))
        return (
            one.loops
            or len(one.ended) >= self._width
            or all(hypothesis.ended for hypothesis in one.live)
            or one.n_fed >= self._engine.dimensions.n_text_context // 2
        )

    def _attempt(self, one: _Occupant) -> Attempt:
        finished = one.ended or [hypothesis for hypothesis in one.live if hypothesis.ended]
        best = max(finished or one.live, key=lambda hypothesis: hypothesis.avg_logprob)
        text = self._tokenizer.decode(best.tokens)
        return Attempt(
            hypothesis=best,
            temperature=one.temperature,
            no_speech_prob=one.no_speech_prob,
            compression_ratio=compression_ratio(text) if text else 1.0,
            loops=one.loops or is_looping(self._text_tokens(best)),
        )

    def _next_temperature(self, one: _Occupant) -> float | None:
        """Of the next attempt: the same while samples of it are to be drawn, then the next."""
        n_samples = 1 if self._width > 1 else self._options.best_of
        plan = [
            temperature
            for temperature in self._options.temperatures
            for _ in range(n_samples if temperature > 0 else 1)
        ]
        return plan[len(one.attempts)] if len(one.attempts) < len(plan) else None

    def _restart(self, one: _Occupant, temperature: float) -> None:
        self._slots.restart(self._occupants.index(one))
        one.temperature, one.n_fed, one.loops = temperature, 0, False
        one.live, one.ended = [Hypothesis()] * self._width, []

    def _result(self, one: _Occupant) -> DecodedWindow:
        """The first attempt that passes, or the likeliest of those that don't loop."""
        attempts = one.attempts
        kept = next((a for a in attempts if a.passes(self._options)), None)
        kept = kept or max(attempts, key=lambda a: (not a.loops, a.hypothesis.avg_logprob))
        return DecodedWindow(one.sound, kept, *one.language)

    def _text_tokens(self, hypothesis: Hypothesis) -> list[int]:
        return [token for token in hypothesis.tokens if token < self._tokenizer.eot]


def detect_language(
    engine: Engine, tokenizer: Tokenizer, sounds: Iterable[WindowSound]
) -> Mapping[str, float]:
    """Language code → probability, over all the windows, likeliest first; no text is decoded."""
    batch = Batch(engine, 1, 1)
    probabilities, weights = [], []
    for sound in sounds:
        batch.enter(0, log_mel(sound.samples, engine.dimensions.n_mels))
        batch.step(np.array([[tokenizer.sot]], np.int32), np.zeros((1, 1), np.int32))
        engine.choose(_anything(1), 1)
        probabilities.append(_language_probabilities(tokenizer, engine.logits[:, 0])[0])
        weights.append(len(sound.samples))
    return _vote(tokenizer, np.array(probabilities, np.float32), weights)


def _anything(n_rows: int) -> RowRules:
    """Rules that forbid nothing."""
    zeros, ones = np.zeros(n_rows, np.float32), np.ones(n_rows, np.float32)
    return RowRules(zeros, zeros, zeros, ones, zeros, ones, np.zeros((1, 1), np.float32))


def _language_probabilities(tokenizer: Tokenizer, scores: FLOAT32) -> FLOAT32:
    """Scores right after the start token (windows, n_vocab) → (windows, languages)."""
    return _softmax(scores[:, list(tokenizer.language_ids.values())])


def _vote(
    tokenizer: Tokenizer, probabilities: FLOAT32, weights: Sequence[float]
) -> Mapping[str, float]:
    """The windows' mean, long windows counting more: language code → probability."""
    if not weights:
        return {}
    mean = np.average(probabilities, axis=0, weights=weights)
    return {tokenizer.languages[i]: float(mean[i]) for i in np.argsort(-mean, kind="stable")}


def _softmax(scores: FLOAT32) -> FLOAT32:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: FLOAT32 = weights / weights.sum(axis=1, keepdims=True)
    return result
