"""Parts of a media file: only the sound in them is heard.

Floor 1 of the road. Pure. Times stay media times, so that what is said in a part stands where it
does in the whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from subvino.audio import SAMPLE_RATE, Audio, to_position
from subvino.errors import OptionError

_CLOCK = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
"""Hours and minutes may be left out: "1:02:03.5", "2:03.5", "90"."""

_FORM = 'write ranges as "0:10-1:30,2:00-"'


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a media file, seconds in media time, `start < end`; without an end where None."""

    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        """Raises OptionError for a part that holds nothing."""
        if not 0.0 <= self.start < self.until:
            raise OptionError(f"clip {self.start:g}-{self.until:g} s does not start before its end")

    @property
    def until(self) -> float:
        """Its end; infinity where it has none."""
        return math.inf if self.end is None else self.end


def parse_clips(text: str) -> tuple[Clip, ...]:
    """The parts that a text such as "0:10-1:30,2:00-" names, in order, joined where they meet.

    A range without a start begins with the media, one without an end goes on to its end. Raises
    OptionError where the text is no list of ranges.

    >>> parse_clips("2:00-, 0:10-1:30")
    (Clip(start=10.0, end=90.0), Clip(start=120.0, end=None))
    """
    return join_clips(_parse_range(part.strip()) for part in text.split(","))


def _parse_range(text: str) -> Clip:
    start, dash, end = (part.strip() for part in text.partition("-"))
    if not dash or not (start or end):
        raise OptionError(f"clip {text[:40]!r} is no range; {_FORM}")
    clip = (_parse_clock(start) if start else 0.0, _parse_clock(end) if end else math.inf)
    if clip[0] >= clip[1]:
        raise OptionError(f"clip {text!r} does not start before its end")
    return Clip(clip[0], clip[1] if end else None)


def _parse_clock(text: str) -> float:
    """Seconds; what stands after a colon is less than 60."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise OptionError(f"{text[:40]!r} is no time; {_FORM}")
    hours, minutes, seconds = int(match[1] or 0), int(match[2] or 0), float(match[3])
    if (match[1] and minutes >= 60) or (match[2] and seconds >= 60):
        raise OptionError(f"{text[:40]!r} is no time: after a colon goes less than 60")
    return hours * 3600.0 + minutes * 60.0 + seconds


def join_clips(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """The clips in order, those joined that meet or overlap."""
    joined: list[Clip] = []
    for clip in sorted(clips, key=lambda clip: clip.start):
        if joined and clip.start <= joined[-1].until:
            until = max(clip.until, joined[-1].until)
            joined[-1] = Clip(joined[-1].start, None if math.isinf(until) else until)
        else:
            joined.append(clip)
    return tuple(joined)


def clip_audio(blocks: Iterable[Audio], clips: Sequence[Clip]) -> Iterator[Audio]:
    """Of the sound, what lies in the clips; after the last of them nothing is read any more.

    clips: from `join_clips`; none stand for the whole.
    """
    if not clips:
        yield from blocks
        return
    for block in blocks:
        first = to_position(block.start)
        for clip in clips:
            start = max(to_position(clip.start) - first, 0)
            end = len(block.samples)
            if clip.end is not None:
                end = min(to_position(clip.end) - first, end)
            if start < end:
                yield Audio(block.samples[start:end], (first + start) / SAMPLE_RATE)
        if block.end >= clips[-1].until:
            return


def heard_seconds(clips: Sequence[Clip], time: float) -> float:
    """Seconds of the clips that lie before a media time; all of it where there are no clips.

    >>> heard_seconds([Clip(10.0, 90.0), Clip(120.0)], 125.0)
    85.0
    """
    if not clips:
        return time
    return sum(max(min(time, clip.until) - clip.start, 0.0) for clip in clips)
