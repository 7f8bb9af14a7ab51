"""The retiming under which cues and speech agree best.

Where a cue is shown somebody should speak, and where none is, nobody; a cue should come in when
speech begins. For every cue and every shift that agreement is a number of seconds (`_Agreement`).
A dynamic programme gives each cue a shift so that the sum is greatest, where every change of the
shift costs as much as `break_cost` seconds (`_best_shifts`). This is done for each rate that may
have been used; rates other than 1 must earn their place. What is found on a grid of 0.1 s is then
moved to the onsets of speech themselves (`_refine`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subvino.audio import SpeechSegment
from subvino.errors import OptionError
from subvino.subtitles import RawCue
from subvino.sync.retiming import KNOWN_RATES, Piece, Retiming

Floats = npt.NDArray[np.float64]

_STEP = 0.1
"""Seconds between the shifts that are tried."""
_LONGEST_HELD = 1.5
"""Seconds from a cue's in-time in which no other may come in."""

_FINE_STEP = 0.01
_FINE_REACH = 0.4
_DETECTOR_LEAD = 0.05
"""Seconds by which the detector hears speech before the first word begins, in the median."""
_ONSET_WEIGHT = 2.0
"""Seconds of agreement that an in-time at an onset of speech is worth."""
_ONSET_WIDTH, _FINE_ONSET_WIDTH = 0.4, 0.2
"""Seconds from an onset at which an in-time is worth nothing."""
_LONGEST_GAP = 3.0
"""Seconds of silence after a cue that count: longer gaps say nothing more."""
_LONGEST_CUE = 15.0
_RATE_COST, _RATE_SHARE = 3.0, 0.01
_FREE_RATE_COST, _FREE_RATE_SHARE = 6.0, 0.03
"""Seconds of agreement, and share of it, by which another rate must be better than none; and one
that no frame rates explain."""
_SLOWEST, _FASTEST = 0.9, 1.1
_NEAREST_BREAK = 0.3
"""Seconds: a smaller change of the shift is no cut."""
_SKIP_COST = 2.0
"""Seconds of agreement that a cue costs for which there is no place."""
_FAR = 1.0
"""Seconds: shifts this far apart are two answers, not one."""
_MOST_FITS = 4
"""Rates that are tried with cuts: the best without."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """max_shift: seconds that a cue may move, beside what stretching does.

    stretch: whether other rates than 1 are tried. breaks: whether pieces may move apart.
    break_cost: seconds of agreement that a cut must gain.
    """

    max_shift: float = 300.0
    stretch: bool = True
    breaks: bool = True
    break_cost: float = 8.0

    def __post_init__(self) -> None:
        """Raises OptionError for values that make no sense."""
        if not 0.1 <= self.max_shift <= 36_000:
            raise OptionError(f"max_shift is {self.max_shift}; give 0.1 to 36000 s")
        if not 0 < self.break_cost <= 1e6:
            raise OptionError(f"break_cost is {self.break_cost}; give a number above 0")


def find_retiming(
    cues: Sequence[RawCue], speech: Sequence[SpeechSegment], options: SyncOptions | None = None
) -> Retiming | None:
    """What brings the cues to the speech; None where there are no cues or nobody speaks.

    cues: in any order. speech: in order, seconds.
    """
    options = options or SyncOptions()
    times = _cue_times(cues)
    if not len(times) or not speech:
        return None
    heard = _Speech.of(speech)
    fits = sorted(
        (_whole_fit(times, heard, rate, options) for rate in _rates(times, heard, options)),
        key=lambda fit: -fit.worth,
    )
    if options.breaks:
        others = [fit for fit in fits if fit.rate != 1][: _MOST_FITS - 1]
        fits += [_cut_fit(times, heard, fit.rate, options) for fit in (_at_rate_one(fits), *others)]
    best = max(fits, key=lambda fit: fit.worth)
    stretched = times * best.rate
    pieces = tuple(
        _refine(times[span], stretched[span], best.shifts[span], heard)
        for span in _pieces(best.shifts)
    )
    placed = ~np.isnan(best.shifts)
    lead = _lead(stretched[placed] + best.shifts[placed, None], heard, options)
    # Twice, as with enough pieces anything fits anywhere.
    lead -= 2 * options.break_cost * (len(pieces) - 1) + _SKIP_COST * int((~placed).sum())
    return Retiming(best.rate, pieces, lead / len(times) ** 0.5)


def _at_rate_one(fits: Sequence[_Fit]) -> _Fit:
    return next(fit for fit in fits if fit.rate == 1)


def _cue_times(cues: Sequence[RawCue]) -> Floats:
    """(n, 2) in-times and out-times, seconds, in order; none after the next in-time."""
    shown = sorted((c.start_ms, c.end_ms) for c in cues if c.end_ms > c.start_ms and c.text.strip())
    times = np.array(shown, np.float64).reshape(-1, 2) / 1000
    times[:-1, 1] = np.minimum(times[:-1, 1], times[1:, 0])
    return times


# --- agreement ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Speech:
    """Speech as sums over time.

    edges, spoken: media times at which it begins and ends in turn, and the speech up to each.
    onsets: where it begins. end: of the last.
    """

    edges: Floats
    spoken: Floats
    onsets: Floats

    @classmethod
    def of(cls, segments: Sequence[SpeechSegment]) -> _Speech:
        """Of the detector's segments."""
        edges = np.array([time for one in segments for time in (one.start, one.end)])
        lengths = np.diff(edges, prepend=0.0) * (np.arange(len(edges)) % 2)
        return cls(edges, np.cumsum(lengths), edges[::2] + _DETECTOR_LEAD)

    def until(self, times: Floats) -> Floats:
        """Seconds of speech before each time."""
        found: Floats = np.interp(times, self.edges, self.spoken)
        return found

    def contrast(self, start: Floats, end: Floats) -> Floats:
        """Seconds of speech less seconds of silence between two times."""
        return 2 * (self.until(end) - self.until(start)) - (end - start)

    def near_onset(self, times: Floats, width: float) -> Floats:
        """1 at an onset, falling to 0 at `width` from it."""
        at = np.searchsorted(self.onsets, times)
        before = self.onsets[np.maximum(at - 1, 0)]
        after = self.onsets[np.minimum(at, len(self.onsets) - 1)]
        distance = np.minimum(np.abs(times - before), np.abs(times - after))
        return np.maximum(1 - distance / width, 0)


def _spans(times: Floats) -> Floats:
    """(n, 4): of each cue, what counts as cue and what as gap: begin and end of both."""
    starts, ends = times[:, 0], times[:, 1]
    following = np.append(starts[1:], ends[-1])
    lasts = np.minimum(ends, starts + _LONGEST_CUE)
    return np.stack([starts, lasts, ends, np.clip(following, ends, ends + _LONGEST_GAP)], axis=1)


def _agreement(times: Floats, speech: _Speech, shifts: Floats, width: float) -> Floats:
    """By shift, the seconds by which all cues together agree with the speech."""
    total = np.zeros(len(shifts))
    for start, last, end, quiet in _spans(times):
        total += speech.contrast(start + shifts, last + shifts)
        total -= speech.contrast(end + shifts, quiet + shifts)
        total += _ONSET_WEIGHT * speech.near_onset(start + shifts, width)
    return total


# --- shifts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fit:
    """The best shifts at a rate, and what they are worth, costs taken off.

    shifts: (n,) seconds; NaN for a cue that has no place.
    """

    rate: float
    shifts: Floats
    worth: float


def _table(times: Floats, speech: _Speech, options: SyncOptions) -> tuple[Floats, Floats]:
    """The shifts tried (m,), and agreement (n, m), in-times and out-times rounded to steps.

    The sums over time are looked up once for each step: rows are differences of slices of them.
    """
    most = round(options.max_shift / _STEP)
    shifts: Floats = np.arange(-most, most + 1, dtype=np.float64) * _STEP
    spans = np.round(_spans(times) / _STEP).astype(np.int64)
    low, high = int(spans.min()) - most, int(spans.max()) + most + 1
    clock: Floats = np.arange(low, high + 1, dtype=np.float64) * _STEP
    contrast = 2 * speech.until(clock) - clock
    onset = _ONSET_WEIGHT * speech.near_onset(clock, _ONSET_WIDTH)
    table = np.empty((len(times), len(shifts)))
    for row, (start, last, end, quiet) in zip(table, spans - most - low, strict=True):
        begin, stop, gone, until = (
            slice(at, at + len(shifts)) for at in map(int, (start, last, end, quiet))
        )
        row[:] = contrast[stop] - contrast[begin] - contrast[until] + contrast[gone] + onset[begin]
    return shifts, table


def _whole_fit(times: Floats, speech: _Speech, rate: float, options: SyncOptions) -> _Fit:
    """One shift for all."""
    shifts, table = _table(times * rate, speech, options)
    whole = table.sum(axis=0)
    best = int(whole.argmax())
    worth = float(whole[best]) - _rate_cost(rate, float(whole[best]))
    return _Fit(rate, np.full(len(times), shifts[best]), worth)


def _cut_fit(times: Floats, speech: _Speech, rate: float, options: SyncOptions) -> _Fit:
    """A shift for each cue, with as few changes as pay."""
    shifts, table = _table(times * rate, speech, options)
    # Half of it, or less: a cue that a cut runs through may be as long as what was cut.
    held = np.minimum(np.diff(times, axis=1)[:, 0] / 2, _LONGEST_HELD)
    taken = np.column_stack([times[:, 0], times[:, 0] + held]) * rate
    steps = np.round((taken - taken[0, 0]) / _STEP).astype(np.int64)
    chosen, sums = _best_shifts(table, steps, options.break_cost)
    found = np.where(chosen < 0, np.nan, shifts[chosen])
    return _Fit(rate, found, sums - _rate_cost(rate, sums))


def _rate_cost(rate: float, worth: float) -> float:
    if rate == 1:
        return 0.0
    if any(abs(known - rate) < 1e-9 for known in KNOWN_RATES.values()):
        return _RATE_COST + _RATE_SHARE * abs(worth)
    return _FREE_RATE_COST + _FREE_RATE_SHARE * abs(worth)


def _best_shifts(
    table: Floats, taken: npt.NDArray[np.int64], cost: float
) -> tuple[npt.NDArray[np.int64], float]:
    """The shift of each cue, so that the sum less the cuts is greatest, and that sum.

    table: [cue, shift] seconds of agreement, shifts a step apart. taken: (n, 2) the steps, the
    first in-time being 0, at which each cue comes in and from which on another may. Gives a column
    of the table for each cue, -1 for one that is left out: cues stay in order, no two share a
    phrase, and where the video lacks a part, those in it have no place.
    """
    n, m = table.shape
    came_from = np.full((n, m), -1, np.int64)  # the cue and column before, as cue * m + column
    ends = _Ends.empty(int(taken.max()) + m)
    sums = table[0].copy()
    best, last = float(sums.max()) - _SKIP_COST * (n - 1), int(sums.argmax())
    for i in range(1, n):
        # Cues skipped are paid for from the first cue on: so what is kept needs no update.
        ends.keep(int(taken[i - 1, 1]), sums + _SKIP_COST * (i - 1), (i - 1) * m)
        highest, sources = ends.before(int(taken[i, 0]), m)
        entered = highest - _SKIP_COST * (i - 1) - cost
        came_from[i] = np.where(entered > sums, sources, (i - 1) * m + np.arange(m))
        sums = np.maximum(sums, entered) + table[i]
        if (whole := float(sums.max()) - _SKIP_COST * (n - 1 - i)) > best:
            best, last = whole, i * m + int(sums.argmax())
    return _trace(came_from, last), best


@dataclass(slots=True)
class _Ends:
    """The best chain of cues after which another may come in at each step, or before it.

    worth, source: by step. passed: the best of all steps that no cue can come in at any more.
    """

    worth: Floats
    source: npt.NDArray[np.int64]
    passed: tuple[float, int] = (-np.inf, -1)
    _begin: int = 0

    @classmethod
    def empty(cls, n_steps: int) -> _Ends:
        return cls(np.full(n_steps, -np.inf), np.zeros(n_steps, np.int64))

    def keep(self, start: int, sums: Floats, first_source: int) -> None:
        """Chains that end with a cue: column k leaves room from step `start` + k on."""
        place = slice(start, start + len(sums))
        ahead = sums > self.worth[place]
        self.worth[place] = np.where(ahead, sums, self.worth[place])
        sources = first_source + np.arange(len(sums))
        self.source[place] = np.where(ahead, sources, self.source[place])

    def before(self, start: int, m: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        """The best at each of m steps from `start` on or before it, and where it came from."""
        if start > self._begin:
            at = self._begin + int(self.worth[self._begin : start].argmax())
            self.passed = max(self.passed, (float(self.worth[at]), int(self.source[at])))
            self._begin = start
        worth = self.worth[start : start + m].copy()
        sources = self.source[start : start + m].copy()
        if self.passed[0] > worth[0]:
            worth[0], sources[0] = self.passed
        highest = np.maximum.accumulate(worth)
        fresh = np.concatenate([[True], highest[1:] > highest[:-1]])
        return highest, sources[np.maximum.accumulate(np.where(fresh, np.arange(m), 0))]


def _trace(came_from: npt.NDArray[np.int64], last: int) -> npt.NDArray[np.int64]:
    n, m = came_from.shape
    chosen = np.full(n, -1, np.int64)
    while last >= 0:
        cue, column = divmod(last, m)
        chosen[cue] = column
        last = int(came_from[cue, column])
    return chosen


# --- rates ----------------------------------------------------------------------------------------


def _rates(times: Floats, speech: _Speech, options: SyncOptions) -> Iterator[float]:
    yield 1.0
    if options.stretch:
        yield from KNOWN_RATES.values()
        yield from _free_rates(times, speech, options)


def _free_rates(times: Floats, speech: _Speech, options: SyncOptions) -> Iterator[float]:
    """The rates at which one shift for all agrees best: found coarsely, then ever finer."""
    length = max(times[-1, 1], 1.0)
    grain = min(max(length / 1200, 0.1), 1.0)
    rates = np.arange(_SLOWEST, _FASTEST, grain / length)
    for _ in range(4):
        scores = [_score(times * rate, speech, grain, options) for rate in rates]
        best = rates[int(np.argmax(scores))]
        grain /= 3
        rates = best + np.arange(-4, 5) * grain / length
    yield float(best)


def _score(times: Floats, speech: _Speech, grain: float, options: SyncOptions) -> float:
    """The greatest correlation of cues and speech, sampled every `grain` seconds, at any shift."""
    n = int(max(times[-1, 1], speech.edges[-1]) / grain) + 2
    clock: Floats = np.arange(n + 1, dtype=np.float64) * grain
    heard = np.diff(speech.until(clock)) / grain
    shown = np.diff(_Speech(times.ravel(), _shown_until(times), times[:, 0]).until(clock)) / grain
    size = 1 << (2 * n).bit_length()
    product = np.fft.rfft(heard - heard.mean(), size) * np.conj(
        np.fft.rfft(shown - shown.mean(), size)
    )
    found = np.fft.irfft(product, size)
    most = min(round(options.max_shift / grain), size // 2 - 1)
    near = np.concatenate([found[: most + 1], found[-most:]])
    return float(near.max() / max(float(shown.std() * heard.std()), 1e-9) / n)


def _shown_until(times: Floats) -> Floats:
    lengths = np.zeros(2 * len(times))
    lengths[1::2] = times[:, 1] - times[:, 0]
    return np.cumsum(lengths)


# --- pieces ---------------------------------------------------------------------------------------


def _pieces(shifts: Floats) -> Iterator[npt.NDArray[np.int64]]:
    """The cues of each piece; those without a place are in none."""
    placed = np.flatnonzero(~np.isnan(shifts))
    moved = np.abs(np.diff(shifts[placed])) > _NEAREST_BREAK
    yield from np.split(placed, np.flatnonzero(moved) + 1)


def _refine(times: Floats, stretched: Floats, shifts: Floats, speech: _Speech) -> Piece:
    """A piece, its shift to the hundredth of a second."""
    n_steps = round(_FINE_REACH / _FINE_STEP)
    steps = np.arange(-n_steps, n_steps + 1, dtype=np.float64)
    near: Floats = float(np.median(shifts)) + steps * _FINE_STEP
    worth = _agreement(stretched, speech, near, _FINE_ONSET_WIDTH)
    start, shift = times[0, 0], near[int(np.argmax(worth))]
    return Piece(round(1000 * float(start)), round(1000 * float(shift)), len(times))


def _lead(times: Floats, speech: _Speech, options: SyncOptions) -> float:
    """Seconds by which cues agree better with the speech where they are than anywhere far off.

    Cues that stand where nobody speaks count against it once more.
    """
    shifts, table = _table(times, speech, options)
    whole = table.sum(axis=0)
    far = np.abs(shifts) > _FAR
    # Beyond the sound there is nothing to be compared with.
    length, sound = times[-1, 1] - times[0, 0], speech.edges[-1]
    inside = np.minimum(times[-1, 1] + shifts, sound) - np.maximum(times[0, 0] + shifts, 0)
    heard = inside > min(length, sound) / 2
    compared = whole[far & heard] if (far & heard).any() else whole[far]
    if not len(compared):
        return 0.0
    astray = np.minimum(table[:, len(shifts) // 2], 0).sum()
    return float(whole[~far].max() - compared.max() + astray)
