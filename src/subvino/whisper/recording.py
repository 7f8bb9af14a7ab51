"""A file in the course of being decoded: what of it waits, what is open, what may be given out.

Floor 2 of the road. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from subvino.audio import WindowSound
from subvino.recognizer import Carry
from subvino.whisper.attempt import Attempt
from subvino.whisper.language import VOTES
from subvino.whisper.slots import FLOAT32

Language = tuple[str, float]
"""Code, and the model's belief in it."""


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
class Entry:
    """A window, or a part of one, on its way into a slot.

    index: of the window in its file; depth: 0, or how often it was cut out of one.
    whole: code of the language heard in the window that this is a part of; None for a window.
    """

    index: int
    sound: WindowSound
    depth: int = 0
    whole: str | None = None


@dataclass(slots=True)
class _OpenWindow:
    """A window, what of it is decoded, and how much is not; language: heard in it as a whole."""

    sound: WindowSound
    n_open: int = 1
    parts: list[DecodedPart] = field(default_factory=list)
    language: str = ""


class Vote(NamedTuple):
    """What a window says of the language: scores right after the start token, (n_vocab,)."""

    scores: FLOAT32
    weight: int


class Recording:
    """The windows of one file: taken as they are needed, given out in their order.

    language: of the whole file, None until it is known, and where each window has its own.
    last_language: code of the last window's, where each has its own.
    previous: ids of text for the next window to go on from.
    carried: those of them that come from the windows before; () where each stands alone.
    n_inside: of its windows and parts, those in a slot.
    votes: of windows that were asked for the language, by index.
    """

    def __init__(
        self, number: int, sounds: Iterable[WindowSound], language: Language | None
    ) -> None:
        self.number = number
        self.language = language
        self.last_language: str | None = None
        self.previous: list[int] = []
        self.carried: tuple[int, ...] = ()
        self.n_inside = 0
        self.votes: dict[int, Vote] = {}
        self._n_voters: int | None = None
        self._source = enumerate(sounds)
        self._queue: deque[Entry] = deque()
        self._heard: list[Entry] = []
        self._open: dict[int, _OpenWindow] = {}
        self._complete: dict[int, _OpenWindow] = {}
        self._n_given = 0

    @property
    def n_voters(self) -> int:
        """Windows that are asked for the language of the file, before any of them is decoded."""
        if self._n_voters is None:
            self._n_voters = len(self.look_ahead(VOTES))
        return self._n_voters

    def look_ahead(self, n_windows: int) -> Sequence[Entry]:
        """What comes next, at least `n_windows` entries where the file has that many."""
        if self._heard and self.language is not None:
            self._add(self._heard)
            self._heard = []
        while len(self._queue) < n_windows and (found := next(self._source, None)) is not None:
            index, sound = found
            self._open[index] = _OpenWindow(sound)
            self._queue.append(Entry(index, sound))
        return self._queue

    def take(self) -> Entry | None:
        """The next window, or part of one; parts come before further windows."""
        if not self.look_ahead(1):
            return None
        self.n_inside += 1
        return self._queue.popleft()

    def put_back(self, entry: Entry) -> None:
        """What was only asked for its language: it waits in its place once that is known."""
        self.n_inside -= 1
        self._heard.append(entry)

    def close(
        self, entry: Entry, part: DecodedPart | None, cuts: Sequence[Entry], language: str
    ) -> None:
        """Keep what was decoded of an entry; `cuts` of its window are still to be decoded.

        part: None where the cuts stand for all of it. language: heard in the window as a whole.
        """
        self.n_inside -= 1
        window = self._open[entry.index]
        window.language = language
        if part is not None:
            window.parts.append(part)
            window.parts.sort(key=lambda one: one.sound.window.start)
        window.n_open += len(cuts) - 1
        self._add(cuts)
        if window.n_open == 0:
            self._complete[entry.index] = self._open.pop(entry.index)

    def _add(self, entries: Sequence[Entry]) -> None:
        """Let entries wait: parts before windows, so that windows become complete, all in order."""
        waiting = [*self._queue, *entries]
        waiting.sort(key=lambda one: (one.depth == 0, one.index, one.sound.window.start))
        self._queue = deque(waiting)

    def parts(self, index: int) -> Sequence[DecodedPart]:
        """What is decoded of a window so far, in the order of time."""
        return (self._open.get(index) or self._complete[index]).parts

    def given(self) -> Iterator[DecodedWindow]:
        """The windows that are complete, each once, in order."""
        while self._n_given in self._complete:
            window = self._complete.pop(self._n_given)
            self._n_given += 1
            parts = tuple(window.parts)
            carry = Carry(window.language, parts[0].language_probability, self.carried)
            yield DecodedWindow(window.sound, parts, carry)

    @property
    def is_over(self) -> bool:
        """Every window has been given out."""
        return not self._open and not self._complete and not self.look_ahead(1)
