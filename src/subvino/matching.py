"""Words heard against words given: which is which, though neither is without fault.

Floor 0 of the road; pure. Runs of three words that stand once in each text are taken for the same
where they come in the same order (the idea of patience diff); between those anchors the least
number of edits decides.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

_RUN = 3
_UNLIKE = 1.5
"""What it costs to take one word for another that it does not begin like; leaving both out is 2."""
_ALIKE = 0.7
_LARGEST = 30_000_000
"""Cells of a table of edits: a larger stretch without any anchor is matched by order alone."""

_NOT_WORD = re.compile(r"[\W_]+")


def normal_word(text: str) -> str:
    """A word as it is compared: letters and digits, no accents, lower case.

    >>> normal_word(" Élan,"), normal_word("it's")
    ('elan', 'its')
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _NOT_WORD.sub("", "".join(char for char in plain if not unicodedata.combining(char)))


def match_words(given: Sequence[str], heard: Sequence[str]) -> list[int | None]:
    """For each word given, which of the words heard it is; the numbers rise.

    None where nothing was heard for it. Words come as they are written.

    >>> match_words("the old grey mill".split(), "The mill, they say".split())
    [0, None, None, 1]
    """
    ours, theirs = [normal_word(word) for word in given], [normal_word(word) for word in heard]
    matches: list[int | None] = [None] * len(ours)
    at = (0, 0)
    for anchor in [*_anchors(ours, theirs), (len(ours), len(theirs))]:
        for i, j in _fewest_edits(ours[at[0] : anchor[0]], theirs[at[1] : anchor[1]]):
            matches[at[0] + i] = at[1] + j
        if anchor[0] < len(ours):
            matches[anchor[0]] = anchor[1]
        at = (anchor[0] + 1, anchor[1] + 1)
    return matches


def _anchors(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places that rise in both: the first words of runs that stand once in each text."""
    mine, other = _lone_runs(ours), _lone_runs(theirs)
    pairs = sorted((place, other[run]) for run, place in mine.items() if run in other)
    return [pairs[i] for i in _longest_rising([second for _, second in pairs])]


def _lone_runs(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    runs = [tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)]
    counts = Counter(runs)
    return {run: i for i, run in enumerate(runs) if counts[run] == 1 and all(run)}


def _longest_rising(values: Sequence[int]) -> list[int]:
    """Places of the longest rising subsequence."""
    ends: list[int] = []  # the least value that ends a rising run of each length...
    places: list[int] = []  # ...and where it stands
    before: list[int] = []
    for i, value in enumerate(values):
        length = bisect_left(ends, value)
        ends[length : length + 1] = [value]
        places[length : length + 1] = [i]
        before.append(places[length - 1] if length else -1)
    chain, at = [], places[-1] if places else -1
    while at >= 0:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def _fewest_edits(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of places that are one word; the others were left out or added."""
    n, m = len(ours), len(theirs)
    if not n or not m:
        return
    if n * m > _LARGEST:
        yield from ((i, i * m // n) for i in range(n) if m >= n or i * m // n != (i - 1) * m // n)
        return
    steps = _edit_steps(ours, theirs)
    pairs = []
    i, j = n, m
    while i and j:
        step = steps[i, j]
        if step == 0:
            pairs.append((i - 1, j - 1))
        i, j = i - int(step != 2), j - int(step != 1)
    yield from reversed(pairs)


def _edit_steps(ours: Sequence[str], theirs: Sequence[str]) -> npt.NDArray[np.int8]:
    """[i, j]: the last step of the best way there: 0 both, 1 ours alone, 2 theirs alone."""
    n, m = len(ours), len(theirs)
    steps = np.zeros((n + 1, m + 1), np.int8)
    steps[0, 1:] = 2
    columns = np.arange(m + 1, dtype=np.float64)
    others = np.array(theirs)
    heads = np.array([word[:3] for word in theirs])
    cost = columns.copy()
    for i in range(1, n + 1):
        word = ours[i - 1]
        change = np.where(others == word, 0.0, np.where(heads == word[:3], _ALIKE, _UNLIKE))
        both, alone = cost[:-1] + change, cost[1:] + 1.0
        best = np.concatenate([[float(i)], np.minimum(both, alone)])
        steps[i, 0] = 1
        steps[i, 1:] = np.where(both <= alone, 0, 1)
        # A word of theirs left out costs 1 a step to the right.
        cost = np.minimum.accumulate(best - columns) + columns
        steps[i, 1:] = np.where(cost[1:] < best[1:] - 1e-9, 2, steps[i, 1:])
    return steps
