"""The decode loop: windows enter a batch as others leave it, until all have their text.

Floor 2 of the road. Windows of any number of files share the batch. Each has a draft, decoded
greedily from merged states, and is heard in full, with beams, only where that is in doubt; one that
fails a quality gate is cut in two at its longest pause, or starts again in its slot at a higher
temperature, while the others go on; speech that a window's text leaves out enters again as a window
of its own. What a window's text will be never depends on its neighbours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import openvino as ov

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
from subvino.whisper.room import Room
from subvino.whisper.slots import FLOAT32, INT32, RowRules, SlotEngine
from subvino.windows import cut_window, split_window

_LOOP_CHECK_EVERY = 8  # tokens between looks for a loop

_PATIENCE = 200
"""Steps of drafts, some 20 windows, for which windows to be heard in full wait for others: results
come in order, so that nothing behind them is done before."""

_NOTHING = ov.Tensor(ov.Type.f32, ov.Shape([0]))
"""In place of what a window sounded like (2 MB), once that is in its slot for good."""


class Decoder:
    """Decodes windows with one engine and one set of options."""

    def __init__(self, engine: SlotEngine, tokenizer: Tokenizer, options: DecodingOptions) -> None:
        self._engine, self._tokenizer, self._options = engine, tokenizer, options
        self._gates = Gates(tokenizer, options, can_merge=engine.can_merge)
        self._n_slots = options.batch_size or engine.default_batch_size
        self._n_enough = -(-self._n_slots // 2)
        self._rooms: dict[bool, Room] = {}
        self._doubtful: deque[Occupant] = deque()
        self._waited = 0
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
        try:
            while self._fill(waiting) or self._recordings:
                for one in self._step():
                    self._close(one)
                yield from self._given()
        finally:
            self._rooms.clear()
            self._engine.rest()

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
        while self._n_decoding < self._n_slots:
            entering = self._next(files)
            if entering is None:
                break
            self._enter(*entering)
        self._admit_doubtful()
        return self._n_decoding > 0

    def _admit_doubtful(self) -> None:
        """Let windows to be heard in full have slots: half a batch beside drafts, else a whole one.

        Such a slot takes twice the memory of a draft's.
        """
        most = self._n_enough if self._occupants(drafts=True) else self._n_slots
        while self._doubtful and self._is_full_due and len(self._occupants(drafts=False)) < most:
            one, room = self._doubtful.popleft(), self._room(drafts=False)
            room.admit(one)
            one.heard = _NOTHING
            self._begin(room, one, self._options.temperatures[0])

    @property
    def _n_decoding(self) -> int:
        """Windows that are in the batch or come next, but for those that wait for others."""
        n_drafts = len(self._occupants(drafts=True))
        return n_drafts + (self._n_in_full if self._is_full_due else 0)

    @property
    def _n_in_full(self) -> int:
        """Windows to be heard in full, with a slot or without."""
        return len(self._occupants(drafts=False)) + len(self._doubtful)

    @property
    def _is_full_due(self) -> bool:
        """Whether the windows to be heard in full go on: they wait until they are several.

        Each step reads all weights, whatever the number of windows. They wait while there are
        drafts, and in vain for a time only.
        """
        is_worth_it = self._n_in_full >= self._n_enough or self._waited >= _PATIENCE
        return is_worth_it or not self._occupants(drafts=True)

    def _occupants(self, *, drafts: bool) -> list[Occupant]:
        return self._rooms[drafts].occupants if drafts in self._rooms else []

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
        n_free = self._n_slots - self._n_decoding
        return n_free < min(recording.n_voters, self._n_slots)

    def _may_send(self, recording: Recording) -> bool:
        if self._options.condition_on_previous and recording.n_inside:
            return False
        if not self._hears_one_language(recording):
            return True
        return recording.n_inside + len(recording.votes) < recording.n_voters

    def _enter(self, recording: Recording, entry: Entry) -> None:
        previous = recording.previous[-MAX_PREVIOUS:]
        opening = [self._tokenizer.sot_prev, *previous] if previous else []
        mel = log_mel(entry.sound.samples, self._engine.dimensions.n_mels)
        one = Occupant(
            recording=recording,
            entry=entry,
            previous=previous,
            prompt=[*opening, self._tokenizer.sot],
            heard=self._engine.hear(mel),
            live=[Hypothesis()],
            owed=owed_time(entry.sound),
        )
        if not self._gates.drafts(entry.sound.window):
            self._doubtful.append(one)
            return
        room = self._room(drafts=True)
        room.admit(one)
        self._begin(room, one, self._options.temperatures[0])

    def _room(self, *, drafts: bool) -> Room:
        """The room for drafts, or that for all other attempts."""
        if drafts not in self._rooms:
            width = 1 if drafts else self._options.beam_size
            slots = self._engine.new_slots(self._n_slots, width, merged=drafts)
            self._rooms[drafts] = Room(slots, width, drafts)
        return self._rooms[drafts]

    def _begin(self, room: Room, one: Occupant, temperature: float) -> None:
        """Start the window's next attempt: what stands before the start token is fed at once."""
        slot = room.slot_of(one)
        room.slots.restart(slot)
        before_sot = one.prompt[: one.prompt.index(self._tokenizer.sot)]
        if before_sot:
            room.slots.feed(slot, np.array(before_sot, np.int32))
        one.begin(temperature, len(before_sot), room.width)

    def _hear_in_full(self, drafting: Room, one: Occupant) -> None:
        """Let it wait to begin again where drafts are not enough."""
        drafting.dismiss(one)
        self._doubtful.append(one)

    # One token further

    def _step(self) -> list[Occupant]:
        """Feed a token to every window; gives those that are finished, their slots freed."""
        is_due = self._is_full_due
        rooms = [
            room for room in self._rooms.values() if room.occupants and (room.drafts or is_due)
        ]
        self._waited = self._waited + 1 if self._n_in_full else 0
        for room in rooms:
            self._step_room(room)
        ended = [
            (room, one) for room in rooms for one in room.occupants if self._is_at_end(room, one)
        ]
        done = [(room, one) for room, one in ended if self._settle(room, one)]
        for room, one in done:
            room.dismiss(one)
        return [one for _, one in done]

    def _step_room(self, room: Room) -> None:
        """Feed a token to the windows of a room."""
        stepping = list(room.occupants)
        eot, sot = self._tokenizer.eot, self._tokenizer.sot
        tokens = np.array([one.next_tokens(eot) for one in stepping], np.int32)
        places = np.array([[one.n_fed] * one.width for one in stepping], np.int32)
        room.slots.step(tokens, places)
        starting = [row for row, fed in enumerate(tokens) if fed[0] == sot]
        for one in stepping:
            one.n_fed += 1
        chosen = self._engine.choose(self._rules(stepping), self._n_best)
        self._hear_start(stepping, starting)
        self._advance(room, *chosen)

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

    def _advance(self, room: Room, tokens: INT32, logprobs: FLOAT32) -> None:
        """Give every window whose prompt is fed its next token."""
        for slot, one in enumerate(room.occupants):
            rows = slice(slot * room.width, (slot + 1) * room.width)
            if not one.is_choosing:
                continue
            if room.width > 1 and one.temperature == 0:
                self._advance_beams(room, slot, tokens[rows], logprobs[rows])
            else:
                self._advance_each(one, tokens[rows, 0], logprobs[rows, 0])

    def _advance_each(self, one: Occupant, tokens: INT32, logprobs: FLOAT32) -> None:
        eot = self._tokenizer.eot
        one.live = [
            old if old.ended else old.followed_by(int(token), float(logprob), eot)
            for old, token, logprob in zip(one.live, tokens, logprobs, strict=True)
        ]

    def _advance_beams(self, room: Room, slot: int, tokens: INT32, logprobs: FLOAT32) -> None:
        one = room.occupants[slot]
        step = beam_step(one.live, tokens, logprobs, self._tokenizer.eot)
        one.live = list(step.live)
        one.ended += step.ended
        room.slots.reorder(slot, step.parents)

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

    def _is_at_end(self, room: Room, one: Occupant) -> bool:
        if self._is_asked_only(one):
            return True
        if not one.is_choosing or not one.n_chosen:
            return False
        if one.n_chosen % _LOOP_CHECK_EVERY == 0:
            one.loops = self._gates.only_loops(one)
        one.is_hopeless = room.drafts and self._is_hopeless(one)
        most = self._engine.dimensions.n_text_context // 2
        return (
            one.loops
            or one.is_hopeless
            or len(one.ended) >= one.width
            or all(hypothesis.ended for hypothesis in one.live)
            or one.n_chosen >= most
            or one.n_fed >= self._engine.dimensions.n_text_context - 1
        )

    def _is_hopeless(self, one: Occupant) -> bool:
        """A draft that need not be written to its end; those in several languages are compared."""
        is_compared = bool(one.rivals) or one.likeliest is not None
        return not is_compared and self._gates.is_hopeless(one.live[0])

    def _is_asked_only(self, one: Occupant) -> bool:
        """It has told its language, and makes place for others that are to tell theirs."""
        return not one.language[0] and one.n_fed >= len(one.prompt)

    def _settle(self, room: Room, one: Occupant) -> bool:
        """Judge the window's attempt; True if no other one is made in its slot."""
        if self._is_asked_only(one):
            return True
        if one.is_hopeless:
            self._hear_in_full(room, one)
            return False
        attempt = self._gates.attempt(one)
        if one.rivals or one.likeliest is not None:
            likelier = self._likelier(one, attempt)
            if self._tries_rival(room, one, likelier):
                return False
            attempt = likelier
        if room.drafts:
            one.draft = attempt
            if not self._gates.is_sure(attempt):
                self._hear_in_full(room, one)
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
                self._begin(room, one, following)
                return False
        if self._options.words:
            self._align(room, one)
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

    def _tries_rival(self, room: Room, one: Occupant, attempt: Attempt) -> bool:
        """Write the window down once more, if there is another language that it may be in."""
        one.likeliest = (attempt, one.language) if one.rivals else None
        if not one.rivals:
            return False
        one.language = one.rivals.pop(0)
        self._settle_language(one)
        self._begin(room, one, one.temperature)
        return True

    def _align(self, room: Room, one: Occupant) -> None:
        """Find when the tokens of the attempt that is kept were said."""
        kept = self._gates.kept(one)
        tokens = self._gates.text_tokens(kept.hypothesis)
        if not tokens or kept.is_silence(self._options):
            return
        attention = self._attention(room, one, kept, tokens)
        if attention is None:
            return
        n_samples = max(len(one.sound.samples), 1)
        n_states = -(-n_samples // round(SECONDS_PER_STATE * SAMPLE_RATE))
        one.keep(replace(kept, onsets=token_onsets(attention[:, :n_states])))

    def _attention(
        self, room: Room, one: Occupant, kept: Attempt, tokens: Sequence[int]
    ) -> FLOAT32 | None:
        """What the tokens of an attempt's text, and the one after them, attended to.

        That of a single hypothesis is known from its decoding; otherwise the text is fed once more.
        """
        slot = room.slot_of(one)
        if room.width == 1 and kept.hypothesis is one.live[0]:
            eot, sot = self._tokenizer.eot, self._tokenizer.sot
            return room.slots.attended(slot, one.steps_of(lambda token: token < eot, sot))
        prompt = self._tokenizer.prompt_ids(one.language[0], self._options.task, timestamps=False)
        ids = np.array([*prompt, *tokens, self._tokenizer.eot], np.int32)
        attention = room.slots.attend(slot, ids)
        return None if attention is None else attention[len(prompt) - 1 : -1]

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
