"""Text that is known, and the sound it is said in → a transcript of that text.

Floor 3 of the road. The recognizer hears the sound first; its words, matched with the given ones,
tell which of those belong to which window. Each window's words are then aligned with its sound,
as the recognizer's own would be. All given words are in the transcript, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from subvino.audio import Window, WindowSound
from subvino.linebreak import split_words
from subvino.matching import match_words, normal_word
from subvino.recognizer import WindowResult
from subvino.transcript import Segment, Word


@runtime_checkable
class WordAligner(Protocol):
    """A recognizer that can tell when words are said that it is given."""

    def align(self, sound: WindowSound, words: Sequence[str], language: str) -> list[Word]:
        """The words, said in the window in this order, with their times in the media."""


@dataclass(frozen=True, slots=True)
class GivenText:
    """Words as `linebreak.split_words` has them, and which line of the text each stands on."""

    words: tuple[str, ...]
    lines: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> GivenText:
        """The words of a text; every line is a phrase, as far as that goes."""
        words: list[str] = []
        lines: list[int] = []
        for number, line in enumerate(text.splitlines()):
            units = split_words(line)
            if words and units and units[0][:1].isascii():
                units[0] = " " + units[0]
            words += units
            lines += [number] * len(units)
        return cls(tuple(words), tuple(lines))


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the given words belong.

    windows: for each word, the place of its window. n_heard: how many of them were heard.
    """

    windows: tuple[int, ...]
    n_heard: int

    @property
    def share_heard(self) -> float:
        """0 to 1."""
        return self.n_heard / max(len(self.windows), 1)


def place_words(given: GivenText, results: Sequence[WindowResult]) -> Placing:
    """The window of each given word: that in which it was heard, else by its neighbours."""
    heard = [
        (index, time, unit)
        for index, result in enumerate(results)
        for segment in result.segments
        for time, unit in _timed_units(segment)
    ]
    matches = match_words(given.words, [unit for _, _, unit in heard])
    known = [(i, heard[j][0], heard[j][1]) for i, j in enumerate(matches) if j is not None]
    if not known:
        return Placing((0,) * len(given.words), 0)
    windows = [result.window for result in results]
    places = np.arange(len(given.words), dtype=np.float64)
    times = np.interp(
        places,
        [-1.0, *(place for place, _, _ in known), float(len(given.words))],
        [windows[0].start, *(time for _, _, time in known), windows[-1].end],
    )
    found = [_nearest(windows, float(time)) for time in times]
    for i, index, _ in known:
        found[i] = index
    # Between two words of one window there is no other.
    for (i, window, _), (k, following, _) in pairwise(known):
        found[i + 1 : k] = [min(max(one, window), following) for one in found[i + 1 : k]]
    rising = np.maximum.accumulate(np.array(found, np.int64))
    same = [
        normal_word(given.words[i]) == normal_word(heard[j][2])
        for i, j in enumerate(matches)
        if j is not None
    ]
    return Placing(tuple(int(one) for one in rising), sum(same))


def _timed_units(segment: Segment) -> Iterator[tuple[float, str]]:
    """The segment's units, each with a time in the middle of its word."""
    words = segment.words or (Word(segment.text, segment.start, segment.end, 1.0),)
    for word in words:
        units = split_words(word.text)
        for at, unit in enumerate(units):
            yield word.start + (word.end - word.start) * (at + 0.5) / len(units), unit


def _nearest(windows: Sequence[Window], time: float) -> int:
    distances = [max(window.start - time, time - window.end, 0.0) for window in windows]
    return int(np.argmin(distances))


def align_windows(
    given: GivenText,
    placing: Placing,
    sounds: Iterable[WindowSound],
    aligner: WordAligner,
    language: str,
) -> Iterator[Segment]:
    """The given words as segments, one for each line of the text in each window.

    sounds: the windows that `placing` speaks of, in order.
    """
    rows = list(zip(placing.windows, given.words, given.lines, strict=True))
    by_window = {index: list(group) for index, group in groupby(rows, key=lambda row: row[0])}
    for index, sound in enumerate(sounds):
        group = by_window.get(index, [])
        words = aligner.align(sound, [word for _, word, _ in group], language)
        lines = [line for _, _, line in group]
        for _, pairs in groupby(zip(lines, words, strict=True), key=lambda pair: pair[0]):
            part = tuple(word for _, word in pairs)
            text = "".join(word.text for word in part).strip()
            yield Segment(text, part[0].start, max(word.end for word in part), part)
