"""The steps from a file's cues to better ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from subvino.check import Finding, clean_text, count_things, describe_time, find_in_cues
from subvino.cues import CueRules, build_cues
from subvino.fix.changes import Change, Fixed, FixOptions, Kind
from subvino.fix.prices import PRICES, alone, price_of
from subvino.fix.shapes import (
    Shape,
    describe_shape,
    fit_in,
    flow,
    is_dialogue,
    may_join,
    part_speakers,
)
from subvino.fix.times import retime
from subvino.linebreak import break_lines, split_words, text_width
from subvino.subtitles import Cue, RawCue, Subtitles, settle
from subvino.transcript import Segment, Transcript

_MIN_GAIN = 0.4
"""By how much less must be wrong for a new shape to be taken."""
_ROUNDING = 1e-9
_REACH = 3
"""Cues to each side that decide on the best shape of one: its neighbour's two neighbours."""
_MOST_ROUNDS = 8


def fix_cues(cues: Sequence[RawCue], rules: CueRules, options: FixOptions | None = None) -> Fixed:
    """The cues of a file, repaired."""
    work = Work(rules, options or FixOptions())
    settled = work.settle(work.clean(cues))
    fixed = settled
    for _ in range(_MOST_ROUNDS):
        before = fixed
        fixed = work.repair(retime(work.snap(fixed), rules))
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


@dataclass(slots=True)
class Work:
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
        """Of the text."""
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
            self.note(shape.kind, shape.cues[0].start_ms, describe_shape(shape, shaped))
            shaped[shape.first : shape.after] = shape.cues
            at = max(shape.first - _REACH, 0)
        return shaped

    def _best_shape(self, cues: Sequence[Cue], at: int) -> Shape | None:
        """Of the cue at that place and perhaps its neighbours; None where none is better."""
        first = max(at - _REACH, 0)
        around = at - first, tuple(cues[first : at + _REACH + 1])
        if around in self.best:
            return None
        found = [item for item in self._findings_at(cues, at) if item.rule in PRICES]
        shape = self._better_shape(cues, at, found) if found else None
        if shape is None:
            self.best.add(around)
        return shape

    def _better_shape(self, cues: Sequence[Cue], at: int, found: Sequence[Finding]) -> Shape | None:
        """The mildest that leaves none of what was found; else that which leaves the least."""
        wrong = sum(price_of(finding, [cues[at]]) for finding in alone(found))
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
        self, cues: Sequence[Cue], shape: Shape, instead: Sequence[Cue] | None = None
    ) -> float:
        """What is wrong where the shape is, with the neighbours that it may concern."""
        inner = cues[shape.first : shape.after] if instead is None else instead
        part = [
            *cues[max(shape.first - 2, 0) : shape.first],
            *inner,
            *cues[shape.after : shape.after + 2],
        ]
        return sum(price_of(finding, part) for finding in self._find(part))

    def _shapes(self, cues: Sequence[Cue], at: int, broken: set[str]) -> Iterator[Shape]:
        """Shapes to try, the mildest first: of two as good the first is taken."""
        following = cues[at + 1].start_ms if at + 1 < len(cues) else None
        for lone, new in self._lone_shapes(cues[at], broken):
            yield from fit_in(lone, cues, at, at + 1, retime(new, self.rules, following))
        for first, after in ((at, at + 2), (at - 1, at + 1)):
            if first >= 0 and after <= len(cues) and may_join(*cues[first:after]):
                following = cues[after].start_ms if after < len(cues) else None
                new = retime(self._recut(cues[first:after]), self.rules, following)
                kind: Kind = "joined" if len(new) < after - first else "cut"
                yield from fit_in(kind, cues, first, after, new)

    def _lone_shapes(self, cue: Cue, broken: set[str]) -> Iterator[tuple[Kind, list[Cue]]]:
        shapes: list[tuple[Kind, list[Cue]]] = []
        if broken & {"max_chars", "max_lines", "orphan_line"} and not is_dialogue(cue):
            lines = break_lines(split_words(flow(cue)), self.rules.line_rules, self.language)
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
        if any(map(is_dialogue, cues)):
            parts = [part for cue in cues for part in part_speakers(cue)]
            return [new for part in parts for new in self._build([part])]
        return self._build(
            [Segment(flow(cue), cue.start_ms / 1000, cue.end_ms / 1000) for cue in cues]
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
