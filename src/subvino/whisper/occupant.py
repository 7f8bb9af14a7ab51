"""A window in a slot: what it is fed and what it has said.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import openvino as ov

from subvino.audio import WindowSound
from subvino.whisper.attempt import Attempt
from subvino.whisper.hypothesis import Hypothesis
from subvino.whisper.recording import Entry, Language, Recording

PHRASE_TOKENS = 5
"""So many tokens of the prompt in a row, said again, are a leak and not a coincidence."""


@dataclass(slots=True, eq=False)
class Occupant:
    """A window in a slot, from its entry to its last attempt; changed in place by the loop.

    previous: ids of text before this window, for the model to go on from; () for none.
    prompt: what is fed before anything is chosen; its end is known once the language is.
    heard: what the window sounds like to the network, while a slot may be entered with it; see
        `slots.SlotEngine`.
    live: a hypothesis for each row that the window has at present.
    owed: see `hypothesis.permitted`.
    rivals: languages that it may be in and that are still to be tried.
    likeliest: of the texts in several languages so far, while others are to be tried.
    draft: its text as a draft, where one was made; see `gates.Gates.drafts`.
    is_hopeless: its draft was given up before its end.
    splits: its text failed and its halves are decoded instead.
    """

    recording: Recording
    entry: Entry
    previous: Sequence[int]
    prompt: Sequence[int]
    heard: ov.Tensor
    live: list[Hypothesis]
    ended: list[Hypothesis] = field(default_factory=list)
    owed: int = 0
    rivals: list[Language] = field(default_factory=list)
    likeliest: tuple[Attempt, Language] | None = None
    draft: Attempt | None = None
    attempts: list[Attempt] = field(default_factory=list)
    n_fed: int = 0
    temperature: float = 0.0
    no_speech_prob: float = 0.0
    language: Language = ("", 0.0)
    loops: bool = False
    is_hopeless: bool = False
    splits: bool = False

    @property
    def sound(self) -> WindowSound:
        """What is heard."""
        return self.entry.sound

    @property
    def width(self) -> int:
        """Hypotheses at a time."""
        return len(self.live)

    @property
    def is_choosing(self) -> bool:
        """The prompt has been fed: the last logits say what follows."""
        return self.n_fed >= len(self.prompt)

    @property
    def n_chosen(self) -> int:
        """Tokens chosen so far by the longest hypothesis, its end included."""
        return max(len(one.logprobs) for one in self.live)

    def steps_of(self, is_text: Callable[[int], bool], sot: int) -> list[int]:
        """The steps in which the text tokens of the only hypothesis were chosen, and the one after.

        Counted from the start token, which was fed in the first.
        """
        n_before = self.prompt.index(sot)
        first, last = len(self.prompt) - n_before - 1, self.n_fed - n_before - 1
        places = [first + i for i, token in enumerate(self.live[0].tokens) if is_text(token)]
        return [*places, min(places[-1] + 1, last)] if places else []

    def next_tokens(self, eot: int) -> list[int]:
        """What to feed: a prompt token to all hypotheses, or the last token of each."""
        if self.n_fed < len(self.prompt):
            return [self.prompt[self.n_fed]] * len(self.live)
        return [eot if one.ended else one.tokens[-1] for one in self.live]

    def begin(self, temperature: float, n_fed: int, width: int) -> None:
        """Start again after the first `n_fed` tokens of the prompt."""
        self.temperature, self.n_fed = temperature, n_fed
        self.loops = self.is_hopeless = False
        self.live, self.ended = [Hypothesis()] * width, []

    def keep(self, timed: Attempt) -> None:
        """Let an attempt with its onsets take the place of the same one without."""
        self.attempts = [timed if attempt == timed else attempt for attempt in self.attempts]
        if self.draft == timed:
            self.draft = timed

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
