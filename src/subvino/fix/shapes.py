"""Cues that may stand in place of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from subvino.check import clean_text, count_things, describe_time
from subvino.fix.changes import Kind
from subvino.linebreak import join_lines
from subvino.subtitles import Cue
from subvino.transcript import Segment

_NEAR_MS = 1000
"""Cues this close may be cut anew together."""
_DASHES = ("-", "–", "—")


@dataclass(frozen=True, slots=True)
class Shape:
    """Cues that may stand in place of those from `first` to before `after`."""

    kind: Kind
    first: int
    after: int
    cues: tuple[Cue, ...]


def fit_in(
    kind: Kind, cues: Sequence[Cue], first: int, after: int, new: Sequence[Cue]
) -> Iterator[Shape]:
    """The shape, if it fits in: it comes in when the old one did, before what follows, in order.

    Text joined anew may read as markup, which the next cleaning would take out.
    """
    limits = [cue.start_ms for cue in (*new, *cues[after : after + 1])]
    in_order = all(a < b for a, b in pairwise(limits))
    clean = all(clean_text(cue.text) == cue.text for cue in new)
    if in_order and clean and new[0].start_ms == cues[first].start_ms:
        yield Shape(kind, first, after, tuple(new))


def describe_shape(shape: Shape, cues: Sequence[Cue]) -> str:
    """What it changes, for people."""
    old = cues[shape.first : shape.after]
    if shape.kind == "end":
        return f"{describe_time(old[0].end_ms)} → {describe_time(shape.cues[0].end_ms)}"
    if shape.kind == "lines":
        return f"{count_things(len(old[0].lines), 'line')} → {len(shape.cues[0].lines)}"
    return f"{count_things(len(old), 'cue')} → {len(shape.cues)}"


def may_join(cue: Cue, following: Cue) -> bool:
    """Whether two cues may be cut anew together."""
    near = following.start_ms - cue.end_ms < _NEAR_MS
    return near and not is_dialogue(cue) and not is_dialogue(following)


def is_dialogue(cue: Cue) -> bool:
    """Whether two speak in it, each on a line of their own."""
    return len(cue.lines) > 1 and sum(line.startswith(_DASHES) for line in cue.lines) > 1


def part_speakers(cue: Cue) -> Iterator[Segment]:
    """What each says, in a share of the cue's time as great as that of the text."""
    turns: list[str] = []
    for line in cue.lines if is_dialogue(cue) else (flow(cue),):
        if turns and not line.startswith(_DASHES):
            turns[-1] = join_lines((turns[-1], line))
        else:
            turns.append(line)
    per_char = cue.duration_ms / sum(map(len, turns))
    done = 0
    for turn in turns:
        begin, done = done, done + len(turn)
        start_ms, end_ms = (round(cue.start_ms + chars * per_char) for chars in (begin, done))
        yield Segment(turn, start_ms / 1000, end_ms / 1000)


def flow(cue: Cue) -> str:
    """Its text as one line."""
    return join_lines(cue.lines)
