"""The decode loop: windows enter a batch as others leave it, until all have their text.

Floor 2 of the road. Windows of any number of files share the batch. Each is decoded greedily, and
with beams only where its greedy text is in doubt; one that fails a quality gate is cut in two at
its longest pause, or starts again in its slot at a higher temperature, while the others go on;
speech that a window's text leaves out enters again as a window of its own. What a window's text
will be never depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from subvino.alignment import SECONDS_PER_STATE, token_onsets
from subvino.audio import SAMPLE_RATE, WindowSound
from subvino.features import log_mel
from subvino.recognizer import Carry, DecodingOptions, FileWindows
from subvino.tokenizer import MAX_PREVIOUS, Tokenizer
from subvino.whisper.attempt import Attempt
from subvino.whisper.coverage import find_missed, owed_time
from subvino.whisper.gates import MAX_DEPTH, Gates
from subvino.whisper.hypothesis import Hypothesis, beam_step, permitted
from subvino.whisper.language import language_probabilities, likeliest, rivals, softmax, vote
from subvino.whisper.occupant import Occupant
from subvino.whisper.recording import DecodedPart, DecodedWindow, Entry, Recording, Vote
from subvino.whisper.slots import FLOAT32, INT32, RowRules, SlotEngine, Slots
from subvino.windows import cut_window, split_window

_LOOP_CHECK_EVERY = 8  # tokens between looks for a loop


class Decoder:
    """Decodes windows with one engine and one set of options.

    Its slots are in order: windows that are decoded greedily come before those with beams.
    """

    def __init__(self, engine: SlotEngine, tokenizer: Tokenizer, options: DecodingOptions) -> None:
        self._engine, self._tokenizer, self._options = engine, tokenizer, options
        self._gates = Gates(tokenizer, options)
        self._n_slots = options.batch_size or engine.default_batch_size
        self._batch: Slots | None = None
        self._occupants: list[Occupant] = []
        self._recordings: list[Recording] = []
        self._n_recordings = 0

    def decode(
        self, sounds: Iterable[WindowSound], after: Carry | None = None
    ) -> Iterator[DecodedWindow]:
        """A result for each window of one file, in order; windows are taken as slots get free."""
        for _, decoded in self.decode_many([FileWindows(sounds, after)]):
            if decoded is not None:
                yield decoded

    def decode_many(
        self, files: Iterable[FileWindows]
    ) -> Iterator[tuple[int, DecodedWindow | None]]:
        """The number of a file and one of its windows' results, in order within each file.

        None stands for a file's end. Files are opened as the batch has room for their windows.
        """
        waiting = iter(files)
        while self._fill(waiting) or self._recordings:
            for one in self._step():
                self._close(one)
            yield from self._given()

    def _given(self) -> Iterator[tuple[int, DecodedWindow | None]]:
        for recording in tuple(self._recordings):
            for decoded in recording.given():
                yield recording.number, decoded
            if recording.is_over:
                self._recordings.remove(recording)
                yield recording.number, None

    # Entering and leaving

    def _fill(self, files: Iterator[FileWindows]) -> bool:
        """Let windows into the free slots; False when none is left anywhere."""
        while len(self._occupants) < self._n_slots:
            entering = self._next(files)
            if entering is None:
                break
            self._enter(*entering)
        return bool(self._occupants)

    def _next(self, files: Iterator[FileWindows]) -> tuple[Recording, Entry] | None:
        """Who enters next: of the first file that has somebody, and may send them."""
        for recording in self._recordings:
            if self._waits_for_room(recording):
                return None
            if self._may_send(recording) and (entry := recording.take()) is not None:
                return recording, entry
        if len(self._recordings) > self._n_slots or (file := next(files, None)) is None:
            return None
        self._open(file)
        return self._next(files)

    def _open(self, file: FileWindows) -> None:
        options, after, language = self._options, file.after, None
        if options.language is not None or not self._tokenizer.is_multilingual:
            language = (options.language or self._tokenizer.languages[0], 1.0)
        elif after is not None and not options.multilingual:
            language = (after.language, after.language_probability)
        recording = Recording(self._n_recordings, file.sounds, language)
        recording.previous = self._first_prompt()
        if after is not None:
            recording.last_language = after.language
            if options.condition_on_previous:
                recording.previous = list(after.previous)
        self._recordings.append(recording)
        self._n_recordings += 1

    def _hears_one_language(self, recording: Recording) -> bool:
        """Whether its first windows are still to be asked for the language of all."""
        return recording.language is None and not self._options.multilingual

    def _waits_for_room(self, recording: Recording) -> bool:
        """Whether those that are asked for the language wait until they can enter together.

        They then stay. Where they can never be in the batch together, they come and go in turn.
        """
        if not self._hears_one_language(recording) or recording.n_inside or recording.votes:
            return False
        n_free = self._n_slots - len(self._occupants)
        return n_free < min(recording.n_voters, self._n_slots)

    def _may_send(self, recording: Recording) -> bool:
        if self._options.condition_on_previous and recording.n_inside:
            return False
        if not self._hears_one_language(recording):
            return True
        return recording.n_inside + len(recording.votes) < recording.n_voters

    def _enter(self, recording: Recording, entry: Entry) -> None:
        width = self._gates.first_width(entry.sound.window)
        if self._batch is None:
            self._batch = self._engine.new_slots(self._n_slots, self._options.beam_size)
        previous = recording.previous[-MAX_PREVIOUS:]
        opening = [self._tokenizer.sot_prev, *previous] if previous else []
        one = Occupant(
            recording=recording,
            entry=entry,
            previous=previous,
            prompt=[*opening, self._tokenizer.sot],
            live=[Hypothesis()] * width,
            owed=owed_time(entry.sound),
        )
        slot = self._make_place(width)
        self._occupants.insert(slot, one)
        self._slots.enter(slot, log_mel(one.sound.samples, self._engine.dimensions.n_mels))
        self._begin(one, self._options.temperatures[0], width)

    def _begin(self, one: Occupant, temperature: float, width: int) -> None:
        """Start the window's next attempt: what stands before the start token is fed at once."""
        slot = self._occupants.index(one)
        self._slots.restart(slot, width)
        before_sot = one.prompt[: one.prompt.index(self._tokenizer.sot)]
        if before_sot:
            self._slots.feed(slot, np.array(before_sot, np.int32))
        one.begin(temperature, len(before_sot), width)

    def _n_drafting(self) -> int:
        """Slots at the start that hold windows decoded greedily, where others have beams."""
        if not self._gates.drafts:
            return len(self._occupants)
        return sum(one.width == 1 for one in self._occupants)

    def _make_place(self, width: int) -> int:
        """A free slot behind those of the same width; the list is left to close the gap."""
        n_first, n_all = self._n_drafting(), len(self._occupants)
        if width == self._options.beam_size or n_first == n_all:
            return n_all
        self._slots.move(n_first, n_all)
        self._occupants.append(self._occupants.pop(n_first))
        return n_first

    def _free(self, one: Occupant) -> None:
        """Free a window's slot; others move, so that the slots in use come first, in order."""
        slot, n_first = self._occupants.index(one), self._n_drafting()
        if slot < n_first:
            slot = self._fill_hole(slot, n_first - 1)
        self._fill_hole(slot, len(self._occupants) - 1)
        self._occupants.pop()

    def _fill_hole(self, slot: int, last: int) -> int:
        """Let the window of the last slot go on in a free one; gives the slot that is free then."""
        if slot != last:
            self._slots.move(last, slot)
            self._occupants[slot] = self._occupants[last]
        return last

    def _search_with_beams(self, one: Occupant) -> None:
        """Begin again with beams, in the last of the slots with greedy windows."""
        slot, last = self._occupants.index(one), self._n_drafting() - 1
        if slot != last:
            self._slots.swap(slot, last)
            self._occupants[slot], self._occupants[last] = self._occupants[last], one
        self._begin(one, 0.0, self._options.beam_size)

    @property
    def _slots(self) -> Slots:
        assert self._batch is not None, "a window has entered"  # noqa: S101 - our own bug
        return self._batch

    # One token further

    def _step(self) -> list[Occupant]:
        """Feed a token to every window; gives those that are finished, their slots freed."""
        n_first = self._n_drafting()
        self._step_slots(0, n_first)
        self._step_slots(n_first, len(self._occupants))
        ended = [one for one in self._occupants if self._is_at_end(one)]
        done = [one for one in ended if self._settle(one)]
        for one in done:
            self._free(one)
        return done

    def _step_slots(self, first: int, stop: int) -> None:
        """Feed a token to the windows of these slots, all of one width."""
        stepping = self._occupants[first:stop]
        if not stepping:
            return
        eot, sot = self._tokenizer.eot, self._tokenizer.sot
        tokens = np.array([one.next_tokens(eot) for one in stepping], np.int32)
        places = np.array([[one.n_fed] * one.width for one in stepping], np.int32)
        self._slots.step(first, tokens, places)
        starting = [row for row, fed in enumerate(tokens) if fed[0] == sot]
        for one in stepping:
            one.n_fed += 1
        chosen = self._engine.choose(self._rules(stepping), self._n_best)
        self._hear_start(stepping, starting)
        self._advance(first, stepping, *chosen)

    @property
    def _n_best(self) -> int:
        """Candidates asked for each row: with the end among them, beams need one more.

        The same where a row has one hypothesis: it costs no time, and another head 95 MB.
        """
        width = self._options.beam_size
        return 1 if width == 1 else width + 1

    def _hear_start(self, stepping: Sequence[Occupant], rows: Sequence[int]) -> None:
        """What the model says right after the start token: language, and whether anybody speaks."""
        starting = [stepping[row] for row in rows]
        if not starting:
            return
        scores = self._engine.logits[list(rows), 0]
        silent = softmax(scores)[:, self._tokenizer.no_speech]
        for one, row, probability in zip(starting, scores, silent, strict=True):
            one.no_speech_prob = float(probability)
            self._hear_language(one, row)
        for one in starting:
            self._settle_language(one)

    def _hear_language(self, one: Occupant, scores: FLOAT32) -> None:
        recording = one.recording
        if one.language[0]:
            return  # heard in an earlier attempt
        if recording.language is not None:
            one.language = recording.language
        elif self._options.multilingual:
            self._hear_own_language(one, self._vote([Vote(scores, 1)]))
        else:
            recording.votes[one.entry.index] = Vote(scores.copy(), max(len(one.sound.samples), 1))
            if len(recording.votes) == recording.n_voters:
                votes = [recording.votes[index] for index in sorted(recording.votes)]
                heard = self._vote(votes)
                recording.language = next(iter(heard.items()))
                one.rivals = rivals(heard) if len(votes) == 1 else []

    def _vote(self, votes: Sequence[Vote]) -> Mapping[str, float]:
        scores = np.array([one.scores for one in votes])
        probabilities = language_probabilities(self._tokenizer, scores)
        return vote(self._tokenizer, probabilities, [one.weight for one in votes])

    def _settle_language(self, one: Occupant) -> None:
        """Let the prompt go on with the language, where it is known.

        Where windows go on from the ones before, the last one asked has to wait for its turn.
        """
        too_early = self._options.condition_on_previous and one.entry.index > 0
        if not one.language[0] and not too_early:
            one.language = one.recording.language or one.language
        if one.language[0]:
            one.prompt = self._tokenizer.prompt_ids(
                one.language[0], self._options.task, timestamps=True, previous=one.previous
            )

    def _hear_own_language(self, one: Occupant, probabilities: Mapping[str, float]) -> None:
        """Settle the language of a window by itself and the one before, of a part by its window.

        Windows are heard in their order; their parts come in an order that depends on the batch,
        so they change nothing for others.
        """
        whole = one.entry.whole
        one.language = likeliest(probabilities, whole or one.recording.last_language)
        if whole is None:
            one.recording.last_language = one.language[0]

    def _advance(
        self, first: int, stepping: Sequence[Occupant], tokens: INT32, logprobs: FLOAT32
    ) -> None:
        """Give every window whose prompt is fed its next token."""
        stop = 0
        for slot, one in enumerate(stepping, first):
            rows = slice(stop, stop + one.width)
            stop += one.width
            if not one.is_choosing:
                continue
            if one.width > 1 and one.temperature == 0:
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

    def _rules(self, stepping: Sequence[Occupant]) -> RowRules:
        """What each row may say next, for all windows at once."""
        vocabulary = self._engine.vocabulary
        allowed = [
            permitted(hypothesis.tokens, vocabulary, one.owed)
            for one in stepping
            for hypothesis in one.live
        ]
        columns = np.array(allowed, np.float32).T.copy()
        temperatures = np.array([one.temperature for one in stepping for _ in one.live])
        sharpness = 1.0 / np.where(temperatures > 0, temperatures, 1.0)
        return RowRules(
            text=columns[0],
            end=columns[1],
            earliest=columns[2],
            latest=columns[3],
            sharpness=sharpness.astype(np.float32),
            noise=self._noise(stepping),
        )

    def _noise(self, stepping: Sequence[Occupant]) -> FLOAT32:
        """Gumbel noise for the rows that are sampled, the same whatever else is in the batch."""
        if all(one.temperature == 0 for one in stepping):
            return np.zeros((1, 1), np.float32)
        width, n_candidates = stepping[0].width, self._engine.vocabulary.n_candidates
        noise = np.zeros((len(stepping), width, n_candidates), np.float32)
        for row, one in enumerate(stepping):
            if one.temperature == 0:
                continue
            start_ms = round(one.sound.window.start * 1000) % 2**32  # a seed is not negative
            for beam in range(width):
                seed = (start_ms, len(one.attempts), one.n_fed, beam)
                noise[row, beam] = np.random.default_rng(seed).gumbel(size=n_candidates)
        return noise.reshape(-1, n_candidates)

    # The end of an attempt

    def _is_at_end(self, one: Occupant) -> bool:
        if self._is_asked_only(one):
            return True
        if not one.is_choosing or not one.n_chosen:
            return False
        if one.n_chosen % _LOOP_CHECK_EVERY == 0:
            one.loops = self._gates.only_loops(one)
        one.is_hopeless = self._is_hopeless(one)
        room = self._engine.dimensions.n_text_context // 2
        return (
            one.loops
            or one.is_hopeless
            or len(one.ended) >= one.width
            or all(hypothesis.ended for hypothesis in one.live)
            or one.n_chosen >= room
            or one.n_fed >= self._engine.dimensions.n_text_context - 1
        )

    def _is_hopeless(self, one: Occupant) -> bool:
        """A draft that need not be written to its end; those in several languages are compared."""
        is_draft = self._gates.drafts and one.width == 1
        is_compared = bool(one.rivals) or one.likeliest is not None
        return is_draft and not is_compared and self._gates.is_hopeless(one.live[0])

    def _is_asked_only(self, one: Occupant) -> bool:
        """It has told its language, and makes place for others that are to tell theirs."""
        return not one.language[0] and one.n_fed >= len(one.prompt)

    def _settle(self, one: Occupant) -> bool:
        """Judge the window's attempt; True if no other one is made in its slot."""
        if self._is_asked_only(one):
            return True
        if one.is_hopeless:
            self._search_with_beams(one)
            return False
        attempt = self._gates.attempt(one)
        if one.rivals or one.likeliest is not None:
            likelier = self._likelier(one, attempt)
            if self._tries_rival(one, likelier):
                return False
            attempt = likelier
        if one.width < self._options.beam_size:
            one.draft = attempt
            if not self._gates.is_sure(attempt):
                self._search_with_beams(one)
                return False
        else:
            one.attempts.append(attempt)
        if not any(a is not None and a.passes(self._options) for a in (attempt, one.draft)):
            one.splits = self._gates.can_split(one)
            if one.splits:
                return True
            if (following := self._gates.next_temperature(one)) is not None:
                if attempt.leaks:
                    one.forget_previous(self._tokenizer.sot)
                self._begin(one, following, one.width)
                return False
        if self._options.words:
            self._align(one)
        return True

    def _likelier(self, one: Occupant, attempt: Attempt) -> Attempt:
        """This text, or that in a language tried before; the window is in its language then."""
        if one.likeliest is not None:
            tried = max(
                (one.likeliest, (attempt, one.language)),
                key=lambda text: self._gates.in_language(text[0], text[1][1]),
            )
            attempt, one.language = tried
        one.recording.language = one.language
        self._settle_language(one)
        return attempt

    def _tries_rival(self, one: Occupant, attempt: Attempt) -> bool:
        """Write the window down once more, if there is another language that it may be in."""
        one.likeliest = (attempt, one.language) if one.rivals else None
        if not one.rivals:
            return False
        one.language = one.rivals.pop(0)
        self._settle_language(one)
        self._begin(one, one.temperature, one.width)
        return True

    def _align(self, one: Occupant) -> None:
        """Find when the tokens of the attempt that is kept were said."""
        kept = self._gates.kept(one)
        tokens = self._gates.text_tokens(kept.hypothesis)
        if not tokens or kept.is_silence(self._options):
            return
        prompt = self._tokenizer.prompt_ids(one.language[0], self._options.task, timestamps=False)
        ids = np.array([*prompt, *tokens, self._tokenizer.eot], np.int32)
        attention = self._slots.attend(self._occupants.index(one), ids)
        if attention is None:
            return
        n_samples = max(len(one.sound.samples), 1)
        n_states = -(-n_samples // round(SECONDS_PER_STATE * SAMPLE_RATE))
        onsets = token_onsets(attention[len(prompt) - 1 : -1, :n_states])
        one.keep(replace(kept, onsets=onsets))

    # The end of a window

    def _close(self, one: Occupant) -> None:
        """Keep what was decoded and queue what is still to do; a window may then be complete."""
        recording, entry = one.recording, one.entry
        if not one.language[0]:
            recording.put_back(entry)
            return
        cuts: Sequence[WindowSound] | None = split_window(one.sound) if one.splits else None
        part = None
        if cuts is None:
            part = DecodedPart(one.sound, self._gates.kept(one), *one.language)
            cuts = self._missed(one, part)
        whole = entry.whole or one.language[0]
        parts = [Entry(entry.index, cut, entry.depth + 1, whole) for cut in cuts]
        recording.close(entry, part, parts, whole)
        if self._options.condition_on_previous and (decoded := recording.parts(entry.index)):
            recording.previous = list(self._gates.said(decoded))
            recording.carried = tuple(recording.previous[-MAX_PREVIOUS:])

    def _missed(self, one: Occupant, part: DecodedPart) -> tuple[WindowSound, ...]:
        """Speech that the text leaves out, as windows of their own."""
        if one.entry.depth >= MAX_DEPTH or part.attempt.is_silence(self._options):
            return ()
        stretches = find_missed(part.sound, part.attempt, self._engine.vocabulary.timestamp_begin)
        cuts = [cut_window(part.sound, start, end) for start, end in stretches]
        return tuple(cut for cut in cuts if cut is not None)

    def _first_prompt(self) -> list[int]:
        options = self._options
        text = " ".join(part.strip() for part in (options.prompt, options.hotwords) if part.strip())
        return self._tokenizer.encode(" " + text) if text else []
