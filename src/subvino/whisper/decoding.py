"""The decode loop: windows enter a batch as others leave it, until all have their text.

Floor 2 of the road. A window that fails a quality gate is cut in two at its longest pause, or
starts again in its slot at a higher temperature, while the others go on; speech that a window's
text leaves out enters again as a window of its own. What a window's text will be never depends on
its neighbours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from subvino.alignment import SECONDS_PER_STATE, token_onsets
from subvino.audio import SAMPLE_RATE, WindowSound
from subvino.features import log_mel
from subvino.recognizer import Carry, DecodingOptions
from subvino.tokenizer import MAX_PREVIOUS, Tokenizer
from subvino.whisper.coverage import find_missed
from subvino.whisper.hypothesis import Hypothesis, beam_step, permitted
from subvino.whisper.language import VOTES, language_probabilities, likeliest, softmax, vote
from subvino.whisper.occupant import Attempt, Occupant
from subvino.whisper.quality import compression_ratio, is_looping
from subvino.whisper.slots import FLOAT32, INT32, RowRules, SlotEngine, Slots
from subvino.windows import cut_window, split_window

_LOOP_CHECK_EVERY = 8  # tokens between looks for a loop
_SHORTEST_SPLIT = 8.0  # seconds: halves of a shorter window have too little context
_MAX_DEPTH = 2  # cuts of cuts of a window


@dataclass(frozen=True, slots=True)
class DecodedPart:
    """A window, or a part of one, and the attempt that was kept for it."""

    sound: WindowSound
    attempt: Attempt
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class DecodedWindow:
    """A window and what was made of it: one part, or several in the order of time."""

    sound: WindowSound
    parts: tuple[DecodedPart, ...]
    carry: Carry


@dataclass(frozen=True, slots=True)
class _Entry:
    """A window, or a part of one, on its way into a slot.

    whole: code of the language heard in the window that this is a part of; None for a window.
    """

    index: int
    sound: WindowSound
    depth: int = 0
    whole: str | None = None


class Decoder:
    """Decodes windows with one engine and one set of options.

    after: of the last window that another decoder came to; None where the first window is the
        media's first.
    """

    def __init__(
        self,
        engine: SlotEngine,
        tokenizer: Tokenizer,
        options: DecodingOptions,
        after: Carry | None = None,
    ) -> None:
        self._engine, self._tokenizer, self._options = engine, tokenizer, options
        self._n_slots = options.batch_size or engine.default_batch_size
        self._width = options.beam_size
        self._batch: Slots | None = None
        self._occupants: list[Occupant] = []
        self._cuts: deque[_Entry] = deque()
        self._open: dict[int, tuple[WindowSound, int, list[DecodedPart]]] = {}
        self._last_language: str | None = None
        self._previous = self._first_prompt()
        self._language: tuple[str, float] | None = None
        if options.language is not None or not tokenizer.is_multilingual:
            self._language = (options.language or tokenizer.languages[0], 1.0)
        if after is not None:
            self._go_on(after)

    def _go_on(self, carry: Carry) -> None:
        """Know what was known after an earlier window."""
        if self._options.condition_on_previous:
            self._previous = list(carry.previous)
        if self._options.multilingual:
            self._last_language = carry.language
        elif self._language is None:
            self._language = (carry.language, carry.language_probability)

    def decode(self, sounds: Iterable[WindowSound]) -> Iterator[DecodedWindow]:
        """A result for each window, in order; windows are taken as slots become free."""
        source = enumerate(sounds)
        complete: dict[int, DecodedWindow] = {}
        n_given = 0
        while self._fill(source):
            for occupant in self._step():
                self._close(occupant, complete)
            while n_given in complete:
                yield complete.pop(n_given)
                n_given += 1

    # Entering and leaving

    def _fill(self, source: Iterator[tuple[int, WindowSound]]) -> bool:
        """Let windows into the free slots; False when none is left anywhere."""
        n_wanted = 1 if self._options.condition_on_previous else self._n_slots
        if self._language is None and not self._options.multilingual:
            n_wanted = min(n_wanted, VOTES)
        while len(self._occupants) < n_wanted and (entry := self._next(source)) is not None:
            self._enter(entry)
        return bool(self._occupants)

    def _next(self, source: Iterator[tuple[int, WindowSound]]) -> _Entry | None:
        """Parts that were cut out come before further windows."""
        if self._cuts:
            return self._cuts.popleft()
        found = next(source, None)
        if found is None:
            return None
        index, sound = found
        self._open[index] = (sound, 1, [])
        return _Entry(index, sound)

    def _enter(self, entry: _Entry) -> None:
        if self._batch is None:
            self._batch = self._engine.new_slots(self._n_slots, self._width)
        slot = len(self._occupants)
        self._batch.enter(slot, log_mel(entry.sound.samples, self._engine.dimensions.n_mels))
        previous = self._previous[-MAX_PREVIOUS:]
        opening = [self._tokenizer.sot_prev, *previous] if previous else []
        one = Occupant(
            index=entry.index,
            depth=entry.depth,
            whole=entry.whole,
            sound=entry.sound,
            previous=previous,
            prompt=[*opening, self._tokenizer.sot],
            live=[Hypothesis()] * self._width,
        )
        self._occupants.append(one)
        self._begin(slot, one, self._options.temperatures[0])

    def _begin(self, slot: int, one: Occupant, temperature: float) -> None:
        """Start the window's next attempt: what stands before the start token is fed at once."""
        before_sot = one.prompt[: one.prompt.index(self._tokenizer.sot)]
        if before_sot:
            self._slots.feed(slot, np.array(before_sot, np.int32))
        one.begin(temperature, len(before_sot))

    def _leave(self, slot: int) -> None:
        """Free a slot; the last window moves into it, so that the slots in use come first."""
        last = len(self._occupants) - 1
        if slot != last:
            self._slots.move(last, slot)
            self._occupants[slot] = self._occupants[last]
        self._occupants.pop()

    @property
    def _slots(self) -> Slots:
        assert self._batch is not None, "a window has entered"  # noqa: S101 - our own bug
        return self._batch

    # One token further

    def _step(self) -> list[Occupant]:
        """Feed a token to every window; gives those that are finished, their slots freed."""
        eot = self._tokenizer.eot
        tokens = np.array([one.next_tokens(eot) for one in self._occupants], np.int32)
        places = np.array([one.n_fed for one in self._occupants], np.int32)
        self._slots.step(tokens, np.repeat(places[:, None], self._width, axis=1))
        sot = self._tokenizer.sot
        starting = [slot for slot, row in enumerate(tokens) if row[0] == sot]
        for one in self._occupants:
            one.n_fed += 1
        tokens, logprobs = self._engine.choose(self._rules(), self._n_best)
        self._hear_start(starting)
        self._advance(tokens, logprobs)
        finished = [slot for slot in range(len(self._occupants)) if self._is_finished(slot)]
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
        silent = softmax(scores)[:, self._tokenizer.no_speech]
        for one, probability in zip(starting, silent, strict=True):
            one.no_speech_prob = float(probability)
        self._hear_language(starting, scores)
        for one in starting:
            one.prompt = self._tokenizer.prompt_ids(
                one.language[0], self._options.task, timestamps=True, previous=one.previous
            )

    def _hear_language(self, starting: Sequence[Occupant], scores: FLOAT32) -> None:
        if self._language is not None:
            for one in starting:
                one.language = self._language
            return
        probabilities = language_probabilities(self._tokenizer, scores)
        if self._options.multilingual:
            for one, row in zip(starting, probabilities, strict=True):
                self._hear_own_language(one, vote(self._tokenizer, row[None], [1.0]))
            return
        weights = [max(len(one.sound.samples), 1) for one in starting]
        self._language = next(iter(vote(self._tokenizer, probabilities, weights).items()))
        for one in starting:
            one.language = self._language

    def _hear_own_language(self, one: Occupant, probabilities: Mapping[str, float]) -> None:
        """Settle the language of a window by itself and the one before, of a part by its window.

        Windows are heard in their order; their parts and further attempts come in an order that
        depends on the batch, so they change nothing for others.
        """
        if one.attempts:
            return
        one.language = likeliest(probabilities, one.whole or self._last_language)
        if one.whole is None:
            self._last_language = one.language[0]

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

    def _advance_each(self, one: Occupant, tokens: INT32, logprobs: FLOAT32) -> None:
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
            permitted(hypothesis.tokens, vocabulary)
            for one in self._occupants
            for hypothesis in one.live
        ]
        columns = np.array(allowed, np.float32).T.copy()
        temperatures = np.repeat([one.temperature for one in self._occupants], self._width)
        sharpness = 1.0 / np.where(temperatures > 0, temperatures, 1.0)
        return RowRules(
            text=columns[0],
            end=columns[1],
            earliest=columns[2],
            latest=columns[3],
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
            start_ms = round(one.sound.window.start * 1000) % 2**32  # a seed is not negative
            seed = (start_ms, len(one.attempts), one.n_fed, row % self._width)
            noise[row] = np.random.default_rng(seed).gumbel(size=noise.shape[1])
        return noise

    # The end of an attempt

    def _is_finished(self, slot: int) -> bool:
        """Close the window's attempt if it is at its end; True if no other one is made here."""
        one = self._occupants[slot]
        if not self._is_at_end(one):
            return False
        one.attempts.append(self._attempt(one))
        if not one.attempts[-1].passes(self._options):
            one.splits = self._can_split(one)
            if one.splits:
                return True
            if (following := self._next_temperature(one)) is not None:
                self._slots.restart(slot)
                if one.attempts[-1].leaks:
                    one.forget_previous(self._tokenizer.sot)
                self._begin(slot, one, following)
                return False
        if self._options.words:
            self._align(slot, one)
        return True

    def _is_at_end(self, one: Occupant) -> bool:
        if not one.is_choosing or not one.n_chosen:
            return False
        if one.n_chosen % _LOOP_CHECK_EVERY == 0:
            one.loops = self._only_loops(one)
        room = self._engine.dimensions.n_text_context // 2
        return (
            one.loops
            or len(one.ended) >= self._width
            or all(hypothesis.ended for hypothesis in one.live)
            or one.n_chosen >= room
            or one.n_fed >= self._engine.dimensions.n_text_context - 1
        )

    def _only_loops(self, one: Occupant) -> bool:
        """Whether nothing new is to be expected: the best beam loops, or every sample does."""
        going = [hypothesis for hypothesis in one.live if not hypothesis.ended]
        watched = going[:1] if one.temperature == 0 else going
        return bool(watched) and all(is_looping(self._text_tokens(live)) for live in watched)

    def _attempt(self, one: Occupant) -> Attempt:
        finished = one.ended or [hypothesis for hypothesis in one.live if hypothesis.ended]
        best = max(finished or one.live, key=lambda hypothesis: hypothesis.avg_logprob)
        tokens = self._text_tokens(best)
        text = self._tokenizer.decode(tokens)
        return Attempt(
            hypothesis=best,
            temperature=one.temperature,
            no_speech_prob=one.no_speech_prob,
            compression_ratio=compression_ratio(text) if text else 1.0,
            loops=is_looping(tokens),
            leaks=one.leaks(tokens),
        )

    def _can_split(self, one: Occupant) -> bool:
        """Halves are tried before other temperatures: they need no luck."""
        long_enough = one.sound.window.duration >= _SHORTEST_SPLIT
        return len(one.attempts) == 1 and one.depth < _MAX_DEPTH and long_enough

    def _next_temperature(self, one: Occupant) -> float | None:
        """Of the next attempt: the same while samples of it are to be drawn, then the next."""
        n_samples = 1 if self._width > 1 else self._options.best_of
        plan = [
            temperature
            for temperature in self._options.temperatures
            for _ in range(n_samples if temperature > 0 else 1)
        ]
        return plan[len(one.attempts)] if len(one.attempts) < len(plan) else None

    def _align(self, slot: int, one: Occupant) -> None:
        """Find when the tokens of the attempt that is kept were said."""
        kept = self._kept(one)
        tokens = self._text_tokens(kept.hypothesis)
        if not tokens or kept.is_silence(self._options):
            return
        prompt = self._tokenizer.prompt_ids(one.language[0], self._options.task, timestamps=False)
        ids = np.array([*prompt, *tokens, self._tokenizer.eot], np.int32)
        attention = self._slots.attend(slot, ids)
        if attention is not None:
            n_samples = max(len(one.sound.samples), 1)
            n_states = -(-n_samples // round(SECONDS_PER_STATE * SAMPLE_RATE))
            onsets = token_onsets(attention[len(prompt) - 1 : -1, :n_states])
            one.attempts[one.attempts.index(kept)] = replace(kept, onsets=onsets)

    def _kept(self, one: Occupant) -> Attempt:
        """The first attempt that passes, or the likeliest of those that don't loop."""
        passing = next((a for a in one.attempts if a.passes(self._options)), None)
        return passing or max(
            one.attempts, key=lambda a: (not a.loops, not a.leaks, a.hypothesis.avg_logprob)
        )

    # The end of a window

    def _close(self, one: Occupant, complete: dict[int, DecodedWindow]) -> None:
        """Keep what was decoded and let in what is still to do; a window may then be complete."""
        sound, n_open, parts = self._open[one.index]
        part = DecodedPart(one.sound, self._kept(one), *one.language)
        cuts: Sequence[WindowSound] | None = split_window(one.sound) if one.splits else None
        if cuts is None:
            parts.append(part)
            cuts = self._missed(one, part)
        whole = one.whole or one.language[0]
        self._cuts.extend(_Entry(one.index, cut, one.depth + 1, whole) for cut in cuts)
        n_open += len(cuts) - 1
        self._open[one.index] = (sound, n_open, parts)
        parts.sort(key=lambda part: part.sound.window.start)
        if self._options.condition_on_previous and parts:
            self._previous = self._said(parts)
        if n_open == 0:
            carry = Carry(whole, parts[0].language_probability, self._prompt_for_next())
            complete[one.index] = DecodedWindow(sound, tuple(parts), carry)
            del self._open[one.index]

    def _prompt_for_next(self) -> tuple[int, ...]:
        """Text tokens that the next window goes on from; () unless each goes on from the last."""
        if not self._options.condition_on_previous:
            return ()
        return tuple(self._previous[-MAX_PREVIOUS:])

    def _said(self, parts: Sequence[DecodedPart]) -> list[int]:
        """Text tokens of a window's parts, for the next window or part to go on from.

        Only what can be believed: from a loop the model would go on looping.
        """
        return [
            token
            for part in parts
            if part.attempt.passes(self._options) and not part.attempt.is_silence(self._options)
            for token in self._text_tokens(part.attempt.hypothesis)
        ]

    def _missed(self, one: Occupant, part: DecodedPart) -> tuple[WindowSound, ...]:
        """Speech that the text leaves out, as windows of their own."""
        if one.depth >= _MAX_DEPTH or part.attempt.is_silence(self._options):
            return ()
        stretches = find_missed(part.sound, part.attempt, self._engine.vocabulary.timestamp_begin)
        cuts = [cut_window(part.sound, start, end) for start, end in stretches]
        return tuple(cut for cut in cuts if cut is not None)

    def _first_prompt(self) -> list[int]:
        options = self._options
        text = " ".join(part.strip() for part in (options.prompt, options.hotwords) if part.strip())
        return self._tokenizer.encode(" " + text) if text else []

    def _text_tokens(self, hypothesis: Hypothesis) -> list[int]:
        return [token for token in hypothesis.tokens if token < self._tokenizer.eot]
