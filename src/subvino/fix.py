"""Subtitles of anybody's making → the same words in cues that break fewer rules.

Floor 3 of the road; pure. What can be said of each cue alone comes first: leftovers of markup go,
cues are put in order, overlaps end, out-times are set by what follows (`_clean`, `_settle`,
`_retime`). Then cue after cue that still breaks a rule is tried in other shapes: lines broken
anew, cut anew alone or together with a neighbour by the cue builder. A shape is taken only if it
makes the sum of what is wrong clearly smaller, and the search ends where no shape does: so the
fixed cues, fixed again, stay as they are. No word is lost or moved past another.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from math import ceil
from typing import Literal

from subvino.check import Finding, clean_text, count_things, describe_time, find_in_cues
from subvino.cues import CueRules, build_cues
from subvino.errors import OptionError
from subvino.linebreak import break_lines, join_lines, split_words, text_width
from subvino.subtitles import Cue, RawCue, Subtitles, settle
from subvino.transcript import Segment, Transcript

Kind = Literal["text", "settled", "start", "end", "lines", "cut", "joined"]
"""Of a change: markup or white space taken out; order, overlaps and empty cues settled; in-time;
out-time; lines broken anew; words cut into cues anew; cues joined."""

_SHORTEST_MS = 80
"""What a cue keeps of its time when another follows at once: two frames."""
_NEAR_MS = 1000
"""Cues this close may be cut anew together."""
_MIN_GAIN = 0.4
"""By how much less must be wrong for a new shape to be taken."""
_ROUNDING = 1e-9
_REACH = 3
"""Cues to each side that decide on the best shape of one: its neighbour's two neighbours."""
_MOST_ROUNDS = 8
_DASHES = ("-", "–", "—")

_PRICES = {
    "max_lines": 3.0,
    "max_chars": 1.0,
    "max_cps": 0.3,
    "max_wpm": 0.3,
    "min_duration_ms": 1.0,
    "max_duration_ms": 1.0,
    "min_gap_ms": 1.0,
    "chain_gap_ms": 0.5,
    "orphan_line": 0.6,
    "orphan_cue": 0.8,
}
"""What a broken rule counts, to which comes by how much it is broken. Others can't be mended by
another shape."""


@dataclass(frozen=True, slots=True)
class Change:
    """cue: the number in the input of the cue in which it began, from 1. time_ms: in media time."""

    kind: Kind
    cue: int
    time_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """The cues, and what was changed to get them, in the order of the work."""

    subtitles: Subtitles
    changes: tuple[Change, ...]

    def to_json(self, **context: str | int) -> str:
        """The documented JSON form (docs/check.md), ending in a line break.

        context: what else belongs at its head.
        """
        row = {
            **context,
            "n_cues": len(self.subtitles.cues),
            "n_changes": len(self.changes),
            "changes": [asdict(change) for change in self.changes],
        }
        return json.dumps(row, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class FixOptions:
    """language: code of the text's; "" where unknown.

    onsets: where speech begins, seconds in order; an in-time at most `max_snap` seconds away moves
        onto it.
    """

    language: str = ""
    onsets: tuple[float, ...] = ()
    max_snap: float = 0.3

    def __post_init__(self) -> None:
        """Raises OptionError for a time that makes no sense."""
        if not 0 <= self.max_snap <= 60:
            raise OptionError(f"max_snap is {self.max_snap}; it must lie between 0 and 60 s")


def fix_cues(cues: Sequence[RawCue], rules: CueRules, options: FixOptions | None = None) -> Fixed:
    """The cues of a file, repaired."""
    work = _Work(rules, options or FixOptions())
    settled = work.settle(work.clean(cues))
    fixed = settled
    for _ in range(_MOST_ROUNDS):
        before = fixed
        fixed = work.repair(_retime(work.snap(fixed), rules))
        if fixed == before:
            break
    work.note_ends(settled, fixed)
    return Fixed(Subtitles(tuple(fixed), work.language), tuple(work.changes))


def fix_transcript(
    transcript: Transcript, rules: CueRules, options: FixOptions | None = None
) -> Fixed:
    """A transcript's words cut into cues by their own times, and those repaired."""
    options = options or FixOptions(transcript.text_language)
    cues = build_cues(transcript, rules, options.language).cues
    fixed = fix_cues([RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in cues], rules, options)
    cut = Change(
        "cut", 1, 0, f"{count_things(len(transcript.segments), 'segment')} → {len(cues)} cues"
    )
    return replace(fixed, changes=(cut, *fixed.changes))


# --- the work -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """Steps from the file's cues to better ones; `changes` grows with them.

    numbers, starts_ms: of the cues as they came, by in-time.
    onsets_ms: where speech begins.
    best: places known to have no better shape, by the cues around them.
    """

    rules: CueRules
    options: FixOptions
    changes: list[Change] = field(default_factory=list)
    starts_ms: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    best: set[tuple[int, tuple[Cue, ...]]] = field(default_factory=set)
    onsets_ms: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.onsets_ms = [round(onset * 1000) for onset in self.options.onsets]

    @property
    def language(self) -> str:
        return self.options.language

    def note(self, kind: Kind, time_ms: int, note: str) -> None:
        """Remember a change of what is shown at a time."""
        at = max(bisect_right(self.starts_ms, time_ms) - 1, 0)
        number = self.numbers[at] if self.numbers else 1
        self.changes.append(Change(kind, number, time_ms, note))

    def clean(self, cues: Sequence[RawCue]) -> list[RawCue]:
        """The cues without leftovers in their text; their line is their number from now on."""
        cleaned = []
        for number, cue in enumerate(cues, start=1):
            text = clean_text(cue.text)
            if text != cue.text and text:
                note = f"{_shorten(cue.text)} → {_shorten(text)}"
                self.changes.append(Change("text", number, cue.start_ms, note))
            cleaned.append(replace(cue, text=text, line=number))
        ordered = sorted((cue.start_ms, cue.line) for cue in cleaned)
        self.starts_ms = [start_ms for start_ms, _ in ordered]
        self.numbers = [number for _, number in ordered]
        return cleaned

    def settle(self, cues: Sequence[RawCue]) -> list[Cue]:
        """The cues in order, none overlapping, none empty; `cues` have their numbers as lines."""
        subtitles, notes = settle(cues, self.language)
        for text in notes:
            place, _, note = text.partition(": ")
            number = int(place.rpartition(" ")[2])
            self.changes.append(Change("settled", number, cues[number - 1].start_ms, note))
        return list(subtitles.cues)

    def snap(self, cues: Sequence[Cue]) -> list[Cue]:
        """The cues with in-times on the nearest onset of speech, where one is near."""
        snapped: list[Cue] = []
        for cue, following in zip(cues, [*cues[1:], None], strict=False):
            onset = self._nearest_onset(cue.start_ms)
            low = snapped[-1].start_ms if snapped else -1
            high = min(cue.end_ms, following.start_ms if following else cue.end_ms)
            if onset is None or not low < onset < high or onset == cue.start_ms:
                snapped.append(cue)
                continue
            times = f"{describe_time(cue.start_ms)} → {describe_time(onset)}"
            self.note("start", cue.start_ms, times)
            snapped.append(replace(cue, start_ms=onset))
        return snapped

    def _nearest_onset(self, time_ms: int) -> int | None:
        at = bisect_left(self.onsets_ms, time_ms)
        near = [
            onset
            for onset in self.onsets_ms[max(at - 1, 0) : at + 1]
            if abs(onset - time_ms) <= self.options.max_snap * 1000
        ]
        return min(near, key=lambda onset: abs(onset - time_ms), default=None)

    def repair(self, cues: Sequence[Cue]) -> list[Cue]:
        """The cues, where they broke rules, in the shapes that break the least."""
        shaped = list(cues)
        at = 0
        while at < len(shaped):
            shape = self._best_shape(shaped, at)
            if shape is None:
                at += 1
                continue
            self.note(shape.kind, shape.cues[0].start_ms, _describe_shape(shape, shaped))
            shaped[shape.first : shape.after] = shape.cues
            at = max(shape.first - _REACH, 0)
        return shaped

    def _best_shape(self, cues: Sequence[Cue], at: int) -> _Shape | None:
        """Of the cue at that place and perhaps its neighbours; None where none is better."""
        first = max(at - _REACH, 0)
        around = at - first, tuple(cues[first : at + _REACH + 1])
        if around in self.best:
            return None
        found = [item for item in self._findings_at(cues, at) if item.rule in _PRICES]
        shape = self._better_shape(cues, at, found) if found else None
        if shape is None:
            self.best.add(around)
        return shape

    def _better_shape(
        self, cues: Sequence[Cue], at: int, found: Sequence[Finding]
    ) -> _Shape | None:
        """The mildest that leaves none of what was found; else that which leaves the least."""
        wrong = sum(_price(finding, [cues[at]]) for finding in _alone(found))
        best, most = None, _MIN_GAIN
        for shape in self._shapes(cues, at, {finding.rule for finding in found}):
            gain = self._price_around(cues, shape) - self._price_around(cues, shape, shape.cues)
            if gain > most:
                best, most = shape, gain
                if gain >= wrong - _ROUNDING:
                    return best
        return best

    def _findings_at(self, cues: Sequence[Cue], at: int) -> list[Finding]:
        first = max(at - 1, 0)
        found = self._find(cues[first : at + 2])
        return [finding for finding in found if finding.cue == at - first + 1]

    def _find(self, cues: Iterable[Cue]) -> Iterator[Finding]:
        raw = [RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in cues]
        return find_in_cues(raw, self.rules, self.language)

    def _price_around(
        self, cues: Sequence[Cue], shape: _Shape, instead: Sequence[Cue] | None = None
    ) -> float:
        """What is wrong where the shape is, with the neighbours that it may concern."""
        inner = cues[shape.first : shape.after] if instead is None else instead
        part = [
            *cues[max(shape.first - 2, 0) : shape.first],
            *inner,
            *cues[shape.after : shape.after + 2],
        ]
        return sum(_price(finding, part) for finding in self._find(part))

    def _shapes(self, cues: Sequence[Cue], at: int, broken: set[str]) -> Iterator[_Shape]:
        """Shapes to try, the mildest first: of two as good the first is taken."""
        following = cues[at + 1].start_ms if at + 1 < len(cues) else None
        for lone, new in self._lone_shapes(cues[at], broken):
            yield from _fitting(lone, cues, at, at + 1, _retime(new, self.rules, following))
        for first, after in ((at, at + 2), (at - 1, at + 1)):
            if first >= 0 and after <= len(cues) and _may_join(*cues[first:after]):
                following = cues[after].start_ms if after < len(cues) else None
                new = _retime(self._recut(cues[first:after]), self.rules, following)
                kind: Kind = "joined" if len(new) < after - first else "cut"
                yield from _fitting(kind, cues, first, after, new)

    def _lone_shapes(self, cue: Cue, broken: set[str]) -> Iterator[tuple[Kind, list[Cue]]]:
        shapes: list[tuple[Kind, list[Cue]]] = []
        if broken & {"max_chars", "max_lines", "orphan_line"} and not _is_dialogue(cue):
            lines = break_lines(split_words(_flow(cue)), self.rules.line_rules, self.language)
            shapes.append(("lines", [replace(cue, lines=lines)]))
        if "max_duration_ms" in broken:
            end_ms = cue.start_ms + self.rules.max_duration_ms
            shapes.append(("end", [replace(cue, end_ms=end_ms)]))
        if broken & {"max_chars", "max_lines", "max_duration_ms"}:
            shapes.append(("cut", self._recut([cue])))
        # Slow text is shown longer than it is said; fast text is said all the time it is shown.
        chars = sum(text_width(line, self.rules.narrow_width) for line in cue.lines)
        fast = chars * 1000 / cue.duration_ms > self.rules.max_cps / 2
        yield from reversed(shapes) if fast and "max_duration_ms" in broken else shapes

    def _recut(self, cues: Sequence[Cue]) -> list[Cue]:
        """The cues' words, spread over the time they are shown, cut anew."""
        if any(map(_is_dialogue, cues)):
            parts = [part for cue in cues for part in _speakers(cue)]
            return [new for part in parts for new in self._build([part])]
        return self._build(
            [Segment(_flow(cue), cue.start_ms / 1000, cue.end_ms / 1000) for cue in cues]
        )

    def _build(self, segments: Sequence[Segment]) -> list[Cue]:
        speech = Transcript(tuple(segments), self.language, 1.0, segments[-1].end)
        built = build_cues(speech, self.rules, self.language).cues
        # Without the words' times: a file would not keep them, and fixed again it must be the same.
        return [replace(cue, words=()) for cue in built]

    def note_ends(self, before: Sequence[Cue], after: Sequence[Cue]) -> None:
        """Remember the out-times that changed of cues that are otherwise the same."""
        ends = {(cue.start_ms, *cue.text.split()): cue.end_ms for cue in before}
        for cue in after:
            end_ms = ends.get((cue.start_ms, *cue.text.split()), cue.end_ms)
            if end_ms != cue.end_ms:
                note = f"{describe_time(end_ms)} → {describe_time(cue.end_ms)}"
                self.note("end", cue.start_ms, note)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


# --- shapes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shape:
    """Cues that may stand in place of those from `first` to before `after`."""

    kind: Kind
    first: int
    after: int
    cues: tuple[Cue, ...]


def _fitting(
    kind: Kind, cues: Sequence[Cue], first: int, after: int, new: Sequence[Cue]
) -> Iterator[_Shape]:
    """The shape, if it fits in: it comes in when the old one did, before what follows, in order.

    Text joined anew may read as markup, which the next cleaning would take out.
    """
    limits = [cue.start_ms for cue in (*new, *cues[after : after + 1])]
    in_order = all(a < b for a, b in pairwise(limits))
    clean = all(clean_text(cue.text) == cue.text for cue in new)
    if in_order and clean and new[0].start_ms == cues[first].start_ms:
        yield _Shape(kind, first, after, tuple(new))


def _describe_shape(shape: _Shape, cues: Sequence[Cue]) -> str:
    old = cues[shape.first : shape.after]
    if shape.kind == "end":
        return f"{describe_time(old[0].end_ms)} → {describe_time(shape.cues[0].end_ms)}"
    if shape.kind == "lines":
        return f"{count_things(len(old[0].lines), 'line')} → {len(shape.cues[0].lines)}"
    return f"{count_things(len(old), 'cue')} → {len(shape.cues)}"


def _may_join(cue: Cue, following: Cue) -> bool:
    near = following.start_ms - cue.end_ms < _NEAR_MS
    return near and not _is_dialogue(cue) and not _is_dialogue(following)


def _is_dialogue(cue: Cue) -> bool:
    """Whether two speak in it, each on a line of their own."""
    return len(cue.lines) > 1 and sum(line.startswith(_DASHES) for line in cue.lines) > 1


def _speakers(cue: Cue) -> Iterator[Segment]:
    """What each says, in a share of the cue's time as great as that of the text."""
    turns: list[str] = []
    for line in cue.lines if _is_dialogue(cue) else (_flow(cue),):
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


def _flow(cue: Cue) -> str:
    return join_lines(cue.lines)


def _alone(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings of one cue, as of the first in a file of its own."""
    return (replace(finding, cue=1) for finding in findings)


def _price(finding: Finding, cues: Sequence[Cue]) -> float:
    """What a finding counts; what is too fast counts by the seconds that reading lacks."""
    price = _PRICES.get(finding.rule, 0.0)
    if not price or not finding.found or not finding.limit or finding.cue is None:
        return price
    if finding.rule in ("max_cps", "max_wpm"):
        shown = cues[finding.cue - 1].duration_ms / 1000
        return price + (finding.found / finding.limit - 1) * shown
    if finding.rule == "max_chars":
        return price + 0.1 * (finding.found - finding.limit)
    if finding.rule == "max_lines":
        return price * (finding.found - finding.limit)
    return price + 2 * abs(finding.found / finding.limit - 1)


# --- times --------------------------------------------------------------------------------------


def _retime(cues: Sequence[Cue], rules: CueRules, following_ms: int | None = None) -> list[Cue]:
    """The cues with out-times as the rules want them; in-times stay.

    Of each cue alone and of the next one's in-time, so that doing it again changes nothing.
    following_ms: in-time of what comes after the last.
    """
    limits = [*(cue.start_ms for cue in cues[1:]), following_ms]
    return [
        replace(cue, end_ms=_end_ms(cue, limit, rules))
        for cue, limit in zip(cues, limits, strict=False)
    ]


def _end_ms(cue: Cue, following_ms: int | None, rules: CueRules) -> int:
    """Late enough for reading, early enough for the gap, and not to flicker.

    What is longer than the longest stays: whether its text is cut or its time is decided later.
    """
    end_ms = max(cue.end_ms, cue.start_ms + _needed_ms(cue, rules))
    if following_ms is None:
        return end_ms
    latest = max(following_ms - rules.min_gap_ms, min(cue.start_ms + _SHORTEST_MS, following_ms))
    latest = max(latest, cue.start_ms + 1)
    end_ms = min(end_ms, latest)
    flickers = following_ms - end_ms < rules.chain_gap_ms
    return latest if flickers and latest - cue.start_ms <= rules.max_duration_ms else end_ms


def _needed_ms(cue: Cue, rules: CueRules) -> int:
    """The shortest time in which it can be read, if that is not longer than the longest."""
    chars = sum(text_width(line, rules.narrow_width) for line in cue.lines)
    needed = max(rules.min_duration_ms, ceil(chars * 1000 / rules.max_cps))
    if rules.max_wpm is not None:
        needed = max(needed, ceil(len(cue.text.split()) * 60_000 / rules.max_wpm))
    return min(needed, rules.max_duration_ms)
