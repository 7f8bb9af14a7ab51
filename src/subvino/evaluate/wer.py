"""Errors between what was said and what was heard: the least number of edits, by jiwer.

The error rate is (substitutions + deletions + insertions) / units of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from subvino.errors import MissingExtraError
from subvino.evaluate.manifest import Clip, Span, TimedText
from subvino.evaluate.normalize import split_units

EditKind = Literal["equal", "substitute", "delete", "insert"]

_UNSAID = "\N{REPLACEMENT CHARACTER}"
"""Stands in the reference for speech whose words it does not tell; no normalised text has it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of an alignment.

    reference, heard: positions in the two sequences; an insertion stands before its `reference`,
        a deletion before its `heard`.
    """

    kind: EditKind
    reference: int
    heard: int


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How many units were right, wrong, left out and added."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        return ErrorCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def n_reference(self) -> int:
        """Units in the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def n_errors(self) -> int:
        """Edits needed."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors per unit of the reference; None without a reference."""
        return self.n_errors / self.n_reference if self.n_reference else None


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or character of the reference; an excluded one never counts."""

    text: str
    excluded: bool = False


def count_errors(reference: Sequence[Unit], heard: Sequence[str]) -> ErrorCounts:
    """Edits from `reference` to `heard`, without those at or beside excluded units."""
    counts = {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}
    for edit in align([unit.text for unit in reference], heard):
        here = reference[edit.reference : edit.reference + 1]
        before = reference[edit.reference - 1 : edit.reference] if edit.kind == "insert" else ()
        if not any(unit.excluded for unit in (*before, *here)):
            counts[edit.kind] += 1
    return ErrorCounts(counts["equal"], counts["substitute"], counts["delete"], counts["insert"])


def reference_units(clip: Clip) -> list[Unit]:
    """What a transcript of the clip has to say."""
    return [unit for text, out in _pieces(clip) for unit in _units(clip, text, out)]


def _units(clip: Clip, text: str, excluded: bool) -> list[Unit]:
    if text == _UNSAID:
        return [Unit(_UNSAID, excluded=True)]
    units = split_units(text, clip.language, strip_accents=clip.strip_accents)
    return [Unit(unit, excluded) for unit in units]


def _pieces(clip: Clip) -> Iterator[tuple[str, bool]]:
    """The clip's text in parts, each with whether it is excluded, and marks for unknown speech."""
    unsaid = [span for span in clip.excluded if not any(_holds(span, p) for p in clip.pieces)]
    for piece in clip.pieces:
        while unsaid and piece.start is not None and unsaid[0].start <= piece.start:
            unsaid.pop(0)
            yield _UNSAID, True
        yield piece.text, any(_holds(span, piece) for span in clip.excluded)
    for _ in unsaid:
        yield _UNSAID, True


def _holds(span: Span, piece: TimedText) -> bool:
    """Whether the piece's middle lies in the span; a piece without times lies in none."""
    if piece.start is None or piece.end is None:
        return False
    return span.start <= (piece.start + piece.end) / 2 < span.end


def align(reference: Sequence[str], heard: Sequence[str]) -> Iterator[Edit]:
    """The steps of a shortest way from `reference` to `heard`; units hold no white space."""
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtraError("evaluate", "measuring accuracy") from error
    output = jiwer.process_words(" ".join(reference), " ".join(heard))
    for chunk in output.alignments[0]:
        kind: EditKind = chunk.type  # type: ignore[assignment]  # one of the four, says its docstring
        n_reference = chunk.ref_end_idx - chunk.ref_start_idx
        n_heard = chunk.hyp_end_idx - chunk.hyp_start_idx
        for i in range(max(n_reference, n_heard)):
            yield Edit(
                kind,
                chunk.ref_start_idx + min(i, n_reference),
                chunk.hyp_start_idx + min(i, n_heard),
            )
