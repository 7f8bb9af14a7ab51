"""A transcript's words as units of one kind for every script, measured for the programme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from subvino.cues.rules import CueRules
from subvino.cues.times import SHOT_REACH_MS, Floats
from subvino.linebreak import (
    bond,
    bonds,
    ends_sentence,
    join_lines,
    measure,
    primary_language,
    split_words,
)
from subvino.transcript import Segment, Transcript, Word

_SHOT_LATE_FRAMES = 7


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a piece of one; `text` begins with a space where one stands before it."""

    text: str
    start_ms: int
    end_ms: int
    language: str
    opens_segment: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """The n units and what the programme asks of them; milliseconds.

    starts, ends: (n,) in order; a unit shown first would come in at `onsets` (n + 1,), whose last
        entry is where nothing may be shown any more.
    prefix, spaces: as `linebreak.measure` has them, (n + 1,) and (n,).
    bonds: (n + 1,) of unit i with the one before; 0 at both ends.
    sentences: (n + 1,) whether a sentence begins at unit i; True at both ends.
    pauses: (n + 1,) silence before unit i; 0 at both ends.
    shots: shot changes in order, then infinity.
    """

    units: tuple[Unit, ...]
    language: str
    starts: Floats
    ends: Floats
    onsets: Floats
    prefix: Floats
    spaces: Floats
    bonds: Floats
    sentences: npt.NDArray[np.bool_]
    pauses: Floats
    shots: Floats

    @property
    def opens_segment(self) -> Floats:
        """(n + 1,) 1 where a segment begins."""
        return np.array([unit.opens_segment for unit in self.units] + [True], dtype=np.float64)


def measure_speech(
    transcript: Transcript, language: str, rules: CueRules, shot_changes: Sequence[float]
) -> Speech:
    """All that the programme asks of a transcript's words."""
    units = _units_of(transcript.spoken, language, transcript.task == "translate")
    texts = [unit.text for unit in units]
    starts = np.maximum.accumulate(np.array([unit.start_ms for unit in units], dtype=np.float64))
    ends = np.maximum(np.array([unit.end_ms for unit in units], dtype=np.float64), starts)
    prefix, spaces = measure(texts, rules.narrow_width)
    shots = np.array([*sorted(shot * 1000 for shot in shot_changes), np.inf], dtype=np.float64)
    inner = _bonds_of(units)
    begins = [ends_sentence(a.text, b.text, b.language) for a, b in pairwise(units)]
    return Speech(
        units=units,
        language=language,
        starts=starts,
        ends=ends,
        onsets=_onsets(starts, ends, shots, rules, transcript.duration * 1000),
        prefix=np.array(prefix),
        spaces=np.array(spaces),
        bonds=np.array([0.0, *inner, 0.0]),
        sentences=np.array([True, *begins, True]),
        pauses=np.concatenate(([0.0], np.maximum(starts[1:] - ends[:-1], 0.0), [0.0])),
        shots=shots,
    )


def _bonds_of(units: Sequence[Unit]) -> list[float]:
    """The bond of each unit with the next, by the rules of its language."""
    found: list[float] = []
    before: str | None = None
    for language, group in groupby(units, key=lambda unit: unit.language):
        texts = [unit.text for unit in group]
        if before is not None:
            found.append(bond(before, texts[0], language))
        found += bonds(texts, language)
        before = texts[-1]
    return found


def _onsets(
    starts: Floats, ends: Floats, shots: Floats, rules: CueRules, duration_ms: float
) -> Floats:
    """When a cue that begins with each unit comes in, and as the last the end of it all."""
    if not len(starts):
        return np.array([np.inf])
    late = _SHOT_LATE_FRAMES * 1000 / rules.frame_rate
    shot = shots[np.maximum(np.searchsorted(shots, starts + late, side="right") - 1, 0)]
    free_from = np.concatenate(([0.0], ends[:-1]))
    near = (shot >= starts - SHOT_REACH_MS) & (shot <= starts + late) & (shot >= free_from)
    onsets = np.maximum.accumulate(np.where(near & (shot < ends), shot, starts))
    over = max(duration_ms, ends.max()) if duration_ms > 0 else np.inf
    return np.concatenate((onsets, [over + rules.min_gap_ms]))


# --- units ----------------------------------------------------------------------------------


def _units_of(segments: Sequence[Segment], language: str, translated: bool) -> tuple[Unit, ...]:
    units: list[Unit] = []
    for segment in segments:
        spoken = None if translated else segment.language
        code = primary_language(spoken) if spoken else language
        opens = True
        for word in _spaced_words(segment):
            for text, start_ms, end_ms in _pieces(word):
                if opens and units:
                    text = join_lines((units[-1].text, text))[len(units[-1].text.strip()) :]
                units.append(Unit(text if units else text.strip(), start_ms, end_ms, code, opens))
                opens = False
    return tuple(units)


def _spaced_words(segment: Segment) -> Sequence[Word]:
    """The segment's words; its text as one long word where it has none.

    Some engines give words without the space before them: where the text has spaces and the
    words none, each gets one.
    """
    words = segment.words or (Word(segment.text, segment.start, segment.end, 1.0),)
    bare = not any(word.text[:1].isspace() for word in words[1:])
    if len(words) > 1 and bare and len(segment.text.split()) >= len(words):
        return [replace(word, text=" " + word.text) for word in words]
    return words


def _pieces(word: Word) -> Iterator[tuple[str, int, int]]:
    """A word's units with times in milliseconds: its time is spread over its characters."""
    texts = split_words(word.text)
    start_ms, end_ms = max(word.start, 0.0) * 1000, max(word.end, 0.0) * 1000
    per_char = (end_ms - start_ms) / max(sum(map(len, texts)), 1)
    done = 0
    for index, text in enumerate(texts):
        spaced = " " + text if index == 0 and word.text[:1].isspace() else text
        begin, done = done, done + len(text)
        yield spaced, round(start_ms + begin * per_char), round(start_ms + done * per_char)
