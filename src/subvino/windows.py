"""Sound with its speech → windows of at most 30 s; window time ↔ media time.

Floor 1 of the road. Three steps, streamed; about 90 s of sound are held at most:

- `cut_pieces`: each stretch of speech with its padding and samples. Pauses longer than
  `keep_pause` are left out, shorter ones are shared between the neighbours, so that pieces around a
  short pause touch. Speech is cut only where it goes on for more than a window holds.
- `pack`: consecutive pieces into windows. Cuts fall between pieces, chosen by looking ahead so that
  windows are few and the pauses at the cuts long.
- `lay_out`: the pieces of a window as `WindowSound`.

Positions are whole samples of media time (`audio.to_position`); every sample of speech lies in
exactly one window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from subvino.audio import (
    MAX_WINDOW_SAMPLES,
    SAMPLE_RATE,
    Audio,
    DetectedAudio,
    Samples,
    SpeechSegment,
    Window,
    WindowSound,
    even_blocks,
    to_position,
)
from subvino.errors import OptionError

Detector = Callable[[Iterable[Audio]], Iterator[DetectedAudio]]
"""What finds speech in a stream of sound: `vad.SileroDetector`, or `hear_everything`."""

LOOK_AHEAD = 2.0
"""Windows' worth of speech gathered before the first of them is cut."""

BAD_CUT = 1.0
"""What a cut without any pause costs, in windows."""

GOOD_PAUSE = 0.3
"""Seconds of pause that lower the cost of a cut by a factor of e: a pause of 0.5 s instead of 0.2 s
is worth 10 s of an emptier window. On 13 min of read English this takes 39 windows, where filling
them as far as they go takes 38."""

QUIET_SAMPLES = SAMPLE_RATE // 10
"""Where speech must be cut, the quietest tenth of a second is looked for."""

SEAM_WIDTH = 1e-6
"""Seconds within which a window time is at a seam: sums of durations differ by less than that."""

BLOCK_SAMPLES = 4 * SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How speech is laid out in windows; times in seconds.

    max_duration: sound in a window, 1 to 30.
    keep_pause: longer pauses are left out.
    padding: sound kept before and after speech where a pause is left out or a window ends; half
        of the pause if that is less.
    split_pause: a pause this long ends a window that has room for more; None: no pause does.
    """

    max_duration: float = 30.0
    keep_pause: float = 2.0
    padding: float = 0.6
    split_pause: float | None = None

    def __post_init__(self) -> None:
        """Refuse values that contradict each other."""
        if not 1.0 <= self.max_duration <= MAX_WINDOW_SAMPLES / SAMPLE_RATE:
            raise OptionError(f"a window lasts 1 to 30 s, not {self.max_duration}")
        if not 0.0 <= 2 * self.padding <= min(self.keep_pause, self.max_duration / 2):
            raise OptionError(
                f"padding of {self.padding} s on both sides must fit a pause of "
                f"{self.keep_pause} s and half a window"
            )
        if self.split_pause is not None and not self.split_pause > 0:
            raise OptionError(f"split_pause is {self.split_pause}; give seconds above 0")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of speech with the sound around it that it keeps; positions.

    samples: float32 (end - start,); `start <= speech_start < speech_end <= end`.
    """

    start: int
    speech_start: int
    speech_end: int
    end: int
    samples: Samples

    def trim(self, lead: int, trail: int) -> Piece:
        """The piece with at most `lead` and `trail` samples around its speech."""
        start = max(self.start, self.speech_start - lead)
        end = min(self.end, self.speech_end + trail)
        samples = self.samples[start - self.start : end - self.start]
        return replace(self, start=start, end=end, samples=samples)


def stream_windows(
    blocks: Iterable[Audio], detector: Detector, options: WindowOptions | None = None
) -> Iterator[WindowSound]:
    """Windows of the speech in a stream of sound, in order, each as soon as it is complete.

    Where everything is heard, a window does not say what of it is speech: nobody looked.
    """
    options = options or WindowOptions()
    for pieces in pack(cut_pieces(detector(blocks), options), options):
        sound = lay_out(pieces, options)
        if detector is hear_everything:
            sound = replace(sound, window=replace(sound.window, speech=()))
        yield sound


def hear_everything(blocks: Iterable[Audio]) -> Iterator[DetectedAudio]:
    """A detector that takes all sound for speech (`--vad off`)."""
    for block in even_blocks(blocks, BLOCK_SAMPLES):
        yield DetectedAudio(block, (SpeechSegment(block.start, block.end),), block.end)


def cut_pieces(detected: Iterable[DetectedAudio], options: WindowOptions) -> Iterator[Piece]:
    """Each stretch of speech as a piece, or as several where it is too long for one window."""
    run: _Run | None = None
    for item in detected:
        if run is None or to_position(item.audio.start) != run.end:
            if run is not None:
                yield from run.finish()
            run = _Run(options, to_position(item.audio.start))
        yield from run.feed(item)
    if run is not None:
        yield from run.finish()


class _Run:
    """One contiguous run of sound on its way into pieces."""

    def __init__(self, options: WindowOptions, start: int) -> None:
        self._max = to_position(options.max_duration)
        self._keep = to_position(options.keep_pause)
        self._padding = to_position(options.padding)
        self._samples = np.empty(0, np.float32)
        self._start = start  # of the samples held
        self._speech: tuple[int, int] | None = None
        self._lead = 0  # samples kept before the speech
        self._last_end: int | None = None  # of the speech before

    @property
    def end(self) -> int:
        return self._start + len(self._samples)

    def feed(self, item: DetectedAudio) -> Iterator[Piece]:
        self._samples = np.concatenate([self._samples, item.audio.samples])
        for segment in item.speech:
            yield from self._add(to_position(segment.start), to_position(segment.end))
        settled = to_position(item.settled)
        if self._speech is not None and settled - self._speech[1] > self._keep:
            yield self._close(self._speech, self._padding)
            self._speech = None
        self._forget_before(settled)

    def finish(self) -> Iterator[Piece]:
        if self._speech is not None:
            yield self._close(self._speech, self._padding)

    def _add(self, start: int, end: int) -> Iterator[Piece]:
        if self._speech is not None and self._speech[1] == start:
            start = self._speech[0]
        else:
            if self._speech is not None:
                yield self._close(self._speech, self._share(start - self._speech[1]))
            self._lead = self._room_before(start)
        while end - start > self._room:
            cut = self._find_cut(start)
            yield self._close((start, cut), 0)
            start, self._lead = cut, 0
        self._speech = (start, end)

    @property
    def _room(self) -> int:
        """Samples of speech that fit a window after the lead."""
        return self._max - min(self._lead, self._padding)

    def _share(self, pause: int) -> int:
        """What the speech before a pause keeps of it."""
        return pause // 2 if pause <= self._keep else self._padding

    def _room_before(self, start: int) -> int:
        """What the speech after a pause keeps of it, or of the sound at the start of the run."""
        if self._last_end is None:
            return min(self._padding, start - self._start)
        pause = start - self._last_end
        return pause - pause // 2 if pause <= self._keep else self._padding

    def _find_cut(self, start: int) -> int:
        """Where to cut speech that is too long: at the quietest point of the last third.

        The range looked at does not depend on how much of the speech is known.
        """
        first, last = start + 2 * self._room // 3, start + self._room
        return first + find_quietest(self._samples[first - self._start : last - self._start])

    def _close(self, speech: tuple[int, int], trail: int) -> Piece:
        start, end = speech[0] - self._lead, min(speech[1] + trail, self.end)
        self._last_end = speech[1]
        # A copy: a view would keep all the sound around it in memory.
        samples = self._samples[start - self._start : end - self._start].copy()
        return Piece(start, *speech, end, samples)

    def _forget_before(self, settled: int) -> None:
        if self._speech is not None:
            needed = self._speech[0] - self._lead
        else:
            needed = settled - max(self._padding, self._keep - self._keep // 2)
        if needed > self._start:
            self._samples = self._samples[needed - self._start :]
            self._start = needed


def find_quietest(samples: Samples) -> int:
    """Index of the middle of the quietest tenth of a second; the last one of several.

    >>> find_quietest(np.repeat(np.float32([0.5, 0.0, 0.5]), 1600))
    2400
    """
    width = min(QUIET_SAMPLES, len(samples))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    # Rounded: a running sum leaves differences of 1e-13 between stretches that are equally quiet.
    means = np.round((energy[width:] - energy[:-width]) / width, 10)
    return len(means) - 1 - int(np.argmin(means[::-1])) + width // 2


def pack(pieces: Iterable[Piece], options: WindowOptions) -> Iterator[tuple[Piece, ...]]:
    """The pieces of each window, in order."""
    queue: list[Piece] = []
    n_samples = 0
    enough = LOOK_AHEAD * to_position(options.max_duration)
    for piece in pieces:
        queue.append(piece)
        n_samples += len(piece.samples)
        while n_samples > enough:
            window = tuple(queue[: _first_window(queue, options, finished=False)])
            yield window
            del queue[: len(window)]
            n_samples -= sum(len(taken.samples) for taken in window)
    while queue:
        window = tuple(queue[: _first_window(queue, options, finished=True)])
        yield window
        del queue[: len(window)]


def _first_window(pieces: Sequence[Piece], options: WindowOptions, *, finished: bool) -> int:
    """How many pieces the first window takes in the division that costs least.

    A window costs 1, and a cut up to `BAD_CUT` more; the last one, while more is to come
    (`finished` is False), only the part of it that is full.
    """
    n_max, padding = to_position(options.max_duration), to_position(options.padding)
    split_pause = math.inf if options.split_pause is None else options.split_pause * SAMPLE_RATE
    before = list(accumulate((len(piece.samples) for piece in pieces), initial=0))
    costs = [0.0] + [math.inf] * len(pieces)
    first_cuts = [0] * (len(pieces) + 1)
    for end in range(1, len(pieces) + 1):
        for start in range(end - 1, -1, -1):
            if start < end - 1 and not 0 <= _pause(pieces[start], pieces[start + 1]) < split_pause:
                break  # No window may span this; where the pause is below 0, time went back.
            trimmed = _lead_cut(pieces[start], padding) + _trail_cut(pieces[end - 1], padding)
            n_samples = before[end] - before[start] - trimmed
            if n_samples > n_max and start < end - 1:
                break
            is_last = end == len(pieces)
            cost = costs[start] + (n_samples / n_max if is_last and not finished else 1.0)
            cost += 0.0 if is_last else _cut_cost(pieces[end - 1], pieces[end])
            if cost < costs[end]:
                costs[end] = cost
                first_cuts[end] = first_cuts[start] or end
    return first_cuts[-1]


def _lead_cut(piece: Piece, padding: int) -> int:
    return max(piece.speech_start - piece.start - padding, 0)


def _trail_cut(piece: Piece, padding: int) -> int:
    return max(piece.end - piece.speech_end - padding, 0)


def _cut_cost(before: Piece, after: Piece) -> float:
    pause = max(_pause(before, after), 0) / SAMPLE_RATE
    return BAD_CUT * math.exp(-pause / GOOD_PAUSE)


def _pause(before: Piece, after: Piece) -> int:
    """Samples between the speech of two pieces."""
    return after.speech_start - before.speech_end


def lay_out(pieces: Sequence[Piece], options: WindowOptions) -> WindowSound:
    """The pieces of one window as its spans, speech and samples."""
    n_max, padding = to_position(options.max_duration), to_position(options.padding)
    trimmed = list(pieces)
    trimmed[0] = trimmed[0].trim(padding, n_max)
    room = n_max - sum(len(piece.samples) for piece in trimmed[:-1])
    last = trimmed[-1]
    trimmed[-1] = last.trim(n_max, min(padding, room - (last.speech_end - last.start)))
    spans = _join((piece.start, piece.end) for piece in trimmed)
    speech = _join((piece.speech_start, piece.speech_end) for piece in trimmed)
    return WindowSound(
        Window(_to_segments(spans), _to_segments(speech)),
        np.concatenate([piece.samples for piece in trimmed]),
    )


def _join(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches with those joined that touch."""
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _to_segments(stretches: Iterable[tuple[int, int]]) -> tuple[SpeechSegment, ...]:
    return tuple(SpeechSegment(a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in stretches)


def to_media_time(window: Window, time: float, *, ends: bool = False) -> float:
    """Media time of a time in the window, seconds; times outside it count as its edges.

    Where a pause was left out one window time stands for two media times: the one after the pause,
    or, for something that `ends` there, the one before it.

    >>> window = Window((SpeechSegment(10.0, 12.0), SpeechSegment(20.0, 21.0)))
    >>> [to_media_time(window, 0.5), to_media_time(window, 2.0), to_media_time(window, 2.25)]
    [10.5, 20.0, 20.25]
    >>> to_media_time(window, 2.0, ends=True)
    12.0
    """
    passed = 0.0
    for span in window.spans:
        inside, length = max(time - passed, 0.0), span.duration
        if inside < length - SEAM_WIDTH or (ends and inside < length + SEAM_WIDTH):
            return span.start + min(inside, length)
        passed += length
    return window.end


def to_media_times(window: Window, start: float, end: float) -> tuple[float, float]:
    """Media times of a word's start and end in the window, seconds.

    Nobody speaks a word across a pause that was left out: what reaches over one is where more of
    the speech in it is, and begins and ends with that speech.

    >>> speech = (SpeechSegment(10.2, 11.5), SpeechSegment(20.4, 21.0))
    >>> window = Window((SpeechSegment(10.0, 12.0), SpeechSegment(20.0, 21.0)), speech)
    >>> to_media_times(window, 1.9, 2.6), to_media_times(window, 1.0, 2.1)
    ((20.4, 20.6), (11.0, 11.5))
    """
    first, last = to_media_time(window, start), to_media_time(window, end, ends=True)
    touched = [span for span in window.spans if span.start < last and span.end > first]
    spoken = [part for span in touched if (part := _spoken(window, span, first, last))]
    paused = any(after.start - before.end > SEAM_WIDTH for before, after in pairwise(touched))
    if not paused or not spoken:
        return first, max(first, last)
    longest = max(spoken, key=lambda part: part.duration)
    return longest.start, longest.end


def _spoken(window: Window, span: SpeechSegment, start: float, end: float) -> SpeechSegment | None:
    """From where to where in a span somebody speaks between two times."""
    low, high = max(span.start, start), min(span.end, end)
    speech = [one for one in window.speech if one.start < high and one.end > low]
    if not speech or low >= high:
        return None
    return SpeechSegment(max(low, speech[0].start), min(high, speech[-1].end))


def to_window_time(window: Window, time: float) -> float:
    """Time in the window, seconds, of a media time; what lies in a pause left out is its seam.

    >>> window = Window((SpeechSegment(10.0, 12.0), SpeechSegment(20.0, 21.0)))
    >>> [to_window_time(window, t) for t in (9.0, 10.5, 15.0, 20.5, 99.0)]
    [0.0, 0.5, 2.0, 2.5, 3.0]
    """
    return sum(min(max(time - span.start, 0.0), span.duration) for span in window.spans)


def split_window(sound: WindowSound) -> tuple[WindowSound, WindowSound] | None:
    """The window in two, at its longest pause, or at the quietest point of its middle third.

    None if it is too short for that (under 2 s).
    """
    if len(sound.samples) < 2 * SAMPLE_RATE:
        return None
    window = sound.window
    edge = _find_split(sound)
    first, last = to_position(window.start), to_position(window.end)
    return _cut(sound, first, edge), _cut(sound, edge, last)


def cut_window(sound: WindowSound, start: float, end: float) -> WindowSound | None:
    """The part of the window between two media times, seconds; None where it holds no sound."""
    low, high = to_position(start), to_position(end)
    heard = any(max(a, low) < min(b, high) for a, b in _positions(sound.window.spans))
    return _cut(sound, low, high) if heard else None


def _cut(sound: WindowSound, low: int, high: int) -> WindowSound:
    """The part of the window between two positions."""
    spans = _positions(sound.window.spans)
    kept = _clip(spans, low, high)
    speech = _clip(_positions(sound.window.speech), low, high)
    before = sum(end - start for start, end in _clip(spans, spans[0][0], low))
    length = sum(end - start for start, end in kept)
    return WindowSound(
        Window(_to_segments(kept), _to_segments(speech)), sound.samples[before : before + length]
    )


def _positions(segments: Iterable[SpeechSegment]) -> list[tuple[int, int]]:
    return [(to_position(part.start), to_position(part.end)) for part in segments]


def _find_split(sound: WindowSound) -> int:
    """Media position before which to split."""
    speech = sound.window.speech
    pauses = [(after.start - before.end, before.end) for before, after in pairwise(speech)]
    if pauses and max(pauses)[0] > 0:
        length, start = max(pauses)
        return to_position(start + length / 2)
    third = len(sound.samples) // 3
    index = third + find_quietest(sound.samples[third : 2 * third])
    return _position_at(_positions(sound.window.spans), index)


def _position_at(spans: Iterable[tuple[int, int]], index: int) -> int:
    """Media position of the sample at `index` of spans laid end to end."""
    for start, end in spans:
        if index < end - start:
            return start + index
        index -= end - start
    raise IndexError(index)


def _clip(stretches: Iterable[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """The parts of the stretches between two positions."""
    clipped = [(max(start, low), min(end, high)) for start, end in stretches]
    return [(start, end) for start, end in clipped if start < end]
