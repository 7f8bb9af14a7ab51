"""Cues held against the speech in the video: shown over silence, speech without a cue, in-times.

Cues and speech are counted in milliseconds here. The detector is good to about 50 ms, and takes
some singing for speech: the limits leave room for that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from subvino.audio import SpeechSegment
from subvino.check.report import Finding, describe_time
from subvino.errors import OptionError
from subvino.subtitles import RawCue

_PAUSE_MS = 500
"""Stretches of speech without a cue that are closer than this are one finding."""


@dataclass(frozen=True, slots=True)
class SpeechLimits:
    """How far cues may be from the speech; times in seconds.

    min_spoken: share, 0 to 1, of a cue's time in which somebody speaks.
    max_uncovered: speech that may go without a cue.
    max_early, max_late: how long before or after the speech begins a cue may come in.
    """

    min_spoken: float = 0.1
    max_uncovered: float = 1.0
    max_early: float = 0.3
    max_late: float = 0.3

    def __post_init__(self) -> None:
        """Raises OptionError where a limit makes no sense."""
        if not 0 <= self.min_spoken <= 1:
            raise OptionError(f"min_spoken is {self.min_spoken}; it is a share, from 0 to 1")
        if min(self.max_uncovered, self.max_early, self.max_late) < 0:
            raise OptionError("max_uncovered, max_early and max_late can't be negative")


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Stretches of media time, in order and apart; milliseconds."""

    starts: list[int]
    ends: list[int]

    def within(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        """The parts that lie between two times."""
        for at in range(bisect_right(self.ends, start_ms), bisect_left(self.starts, end_ms)):
            yield max(self.starts[at], start_ms), min(self.ends[at], end_ms)

    def outside(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        """The parts of the time between two times that no stretch takes."""
        free_from = start_ms
        for begin, end in self.within(start_ms, end_ms):
            if begin > free_from:
                yield free_from, begin
            free_from = end
        if end_ms > free_from:
            yield free_from, end_ms


def find_in_speech(
    cues: Sequence[RawCue], speech: Sequence[SpeechSegment], limits: SpeechLimits
) -> Iterator[Finding]:
    """What cues and speech make of each other.

    speech: in order, seconds.
    """
    spoken = _Stretches(
        [round(segment.start * 1000) for segment in speech],
        [round(segment.end * 1000) for segment in speech],
    )
    shown = [
        (number, cue)
        for number, cue in enumerate(cues, start=1)
        if cue.text.strip() and cue.end_ms > cue.start_ms
    ]
    shown.sort(key=lambda item: item[1].start_ms)
    free_from = 0
    for number, cue in shown:
        yield from _find_silence(number, cue, spoken, limits)
        yield from _find_offset(number, cue, free_from, spoken, limits)
        free_from = max(free_from, cue.end_ms)
    yield from _find_uncovered(_union([cue for _, cue in shown]), spoken, limits)


def _find_silence(
    number: int, cue: RawCue, spoken: _Stretches, limits: SpeechLimits
) -> Iterator[Finding]:
    said = sum(end - start for start, end in spoken.within(cue.start_ms, cue.end_ms))
    share = said / (cue.end_ms - cue.start_ms)
    if share < limits.min_spoken:
        found, limit = 100 * share, 100 * limits.min_spoken
        yield Finding("silence", cue.start_ms, number, found, limit)


def _find_offset(
    number: int, cue: RawCue, free_from: int, spoken: _Stretches, limits: SpeechLimits
) -> Iterator[Finding]:
    """Of the in-time from the onset of the speech that is the cue's own.

    free_from: when the cue before goes out; speech that began earlier is that cue's.
    """
    first = next(spoken.within(cue.start_ms, cue.end_ms), None)
    if first is None:
        return
    if first[0] > cue.start_ms:
        early = first[0] - cue.start_ms
        if early > limits.max_early * 1000:
            yield Finding("early", cue.start_ms, number, early, limits.max_early * 1000)
        return
    onset = spoken.starts[bisect_right(spoken.starts, cue.start_ms) - 1]
    late = cue.start_ms - onset
    # Where more speech than that went before, a cue is missing, which `_find_uncovered` tells.
    if onset >= free_from and limits.max_late * 1000 < late <= limits.max_uncovered * 1000:
        yield Finding("late", cue.start_ms, number, late, limits.max_late * 1000)


def _union(cues: Sequence[RawCue]) -> _Stretches:
    """The time in which any cue is shown; cues in the order of their in-times."""
    shown = _Stretches([], [])
    for cue in cues:
        if shown.ends and cue.start_ms <= shown.ends[-1]:
            shown.ends[-1] = max(shown.ends[-1], cue.end_ms)
        else:
            shown.starts.append(cue.start_ms)
            shown.ends.append(cue.end_ms)
    return shown


def _find_uncovered(
    shown: _Stretches, spoken: _Stretches, limits: SpeechLimits
) -> Iterator[Finding]:
    most = limits.max_uncovered * 1000
    for group in _uncovered(shown, spoken):
        said = sum(end - start for start, end in group)
        if said > most:
            until = f"until {describe_time(group[-1][1])}"
            yield Finding("no_cue", group[0][0], None, said, most, until)


def _uncovered(shown: _Stretches, spoken: _Stretches) -> Iterator[list[tuple[int, int]]]:
    """Speech without a cue: runs of stretches with short pauses and no cue between them."""
    group: list[tuple[int, int]] = []
    for start, end in zip(spoken.starts, spoken.ends, strict=True):
        for part in shown.outside(start, end):
            if group and not _belong(group[-1], part, shown):
                yield group
                group = []
            group.append(part)
    if group:
        yield group


def _belong(part: tuple[int, int], following: tuple[int, int], shown: _Stretches) -> bool:
    between = part[1], following[0]
    return between[1] - between[0] < _PAUSE_MS and not any(shown.within(*between))
