"""What came out of an evaluation: figures by set and by language, as tables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from subvino.evaluate.score import ClipResult, Invention
from subvino.evaluate.timing import TOLERANCES_MS, TimingErrors, TimingSummary, summarize
from subvino.evaluate.wer import ErrorCounts
from subvino.languages import language_code

ALL = "all"


@dataclass(frozen=True, slots=True)
class Summary:
    """One engine's figures over a group of clips.

    kind, group: "manifest" and its name, "language" and its code, or "all" twice.
    duration, seconds: of the media, and that the engine took.
    errors: of the clips in which somebody speaks; None if there is none.
    unit: of the errors: "words", "characters" or "words and characters".
    language_accuracy: share of the clips whose language was detected right; None where none was.
    invented: where nobody speaks; None if there is no such clip.
    """

    kind: str
    group: str
    engine: str
    n_clips: int
    duration: float
    seconds: float
    unit: str
    errors: ErrorCounts | None
    language_accuracy: float | None
    invented: Invention | None
    word_onsets: TimingSummary | None
    word_offsets: TimingSummary | None
    phrase_onsets: TimingSummary | None

    @property
    def real_time_factor(self) -> float:
        """Seconds of media a second."""
        return self.duration / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All results of an evaluation, clip by clip, the engines in turn."""

    results: tuple[ClipResult, ...]

    @property
    def engines(self) -> tuple[str, ...]:
        """Names, in the order of their first result."""
        return tuple(dict.fromkeys(result.engine for result in self.results))

    def summaries(self) -> tuple[Summary, ...]:
        """By manifest, then by language, then over everything; within each the engines in turn."""
        return tuple(
            _summary(kind, group, engine, [r for r in found if r.engine == engine])
            for kind, group, found in _groups(self.results)
            for engine in self.engines
        )

    def to_json(self) -> str:
        """Everything measured, indented, ending in a line break."""
        rows = {
            "engines": self.engines,
            "tolerances_ms": TOLERANCES_MS,
            "summaries": [_summary_row(summary) for summary in self.summaries()],
            "clips": [_clip_row(result) for result in self.results],
        }
        return json.dumps(_rounded(rows), ensure_ascii=False, indent=2) + "\n"

    def tables(self) -> tuple[Table, ...]:
        """Accuracy, times and inventions, as far as they were measured."""
        summaries = self.summaries()
        tables = (
            _table("Words", summaries, _ACCURACY, lambda s: s.errors is not None),
            _table("Word onset", summaries, _timing_columns("word_onsets"), _has("word_onsets")),
            _table("Word offset", summaries, _timing_columns("word_offsets"), _has("word_offsets")),
            _table(
                "Phrase onset", summaries, _timing_columns("phrase_onsets"), _has("phrase_onsets")
            ),
            _table("No speech", summaries, _INVENTION, lambda s: s.invented is not None),
        )
        return tuple(table for table in tables if table.rows)


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a head and rows of cells."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_markdown(self) -> str:
        """The table as Markdown, readable as it stands; the first two columns are left-aligned."""
        cells = [[cell.replace("|", "\\|") for cell in row] for row in (self.head, *self.rows)]
        widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
        rule = ["-" * w if i < 2 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        lines = [_line(row, widths) for row in (cells[0], rule, *cells[1:])]
        return "\n".join([f"**{self.title}**", "", *lines]) + "\n"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if i < 2 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def _groups(
    results: Sequence[ClipResult],
) -> Iterator[tuple[str, str, list[ClipResult]]]:
    for manifest in dict.fromkeys(result.manifest for result in results):
        yield "manifest", manifest, [r for r in results if r.manifest == manifest]
    for language in sorted({r.language for r in results if r.language is not None}):
        yield "language", language, [r for r in results if r.language == language]
    yield ALL, ALL, list(results)


def _summary(kind: str, group: str, engine: str, results: Sequence[ClipResult]) -> Summary:
    spoken = [result for result in results if result.errors is not None]
    words = _joined(result.words for result in results)
    phrases = _joined(result.phrases for result in results)
    return Summary(
        kind=kind,
        group=group,
        engine=engine,
        n_clips=len(results),
        duration=sum(result.duration for result in results),
        seconds=sum(result.seconds for result in results),
        unit=_unit(spoken),
        errors=sum((r.errors for r in spoken if r.errors), ErrorCounts()) if spoken else None,
        language_accuracy=_language_accuracy(results),
        invented=_invented(results),
        word_onsets=summarize(words.onsets, words.n_reference),
        word_offsets=summarize(words.offsets, words.n_reference),
        phrase_onsets=summarize(phrases.onsets, phrases.n_reference),
    )


def _joined(errors: Iterator[TimingErrors | None]) -> TimingErrors:
    return sum((item for item in errors if item is not None), TimingErrors())


def _unit(results: Sequence[ClipResult]) -> str:
    kinds = {result.in_characters for result in results}
    if kinds == {True, False}:
        return "words and characters"
    return "characters" if kinds == {True} else "words"


def _language_accuracy(results: Sequence[ClipResult]) -> float | None:
    right = [
        language_code(result.heard_language) == result.language
        for result in results
        if result.heard_language is not None and result.language is not None
    ]
    return sum(right) / len(right) if right else None


def _invented(results: Sequence[ClipResult]) -> Invention | None:
    found = [result.invented for result in results if result.invented is not None]
    if not found:
        return None
    return Invention(sum(item.words for item in found), sum(item.seconds for item in found))


Column = tuple[str, Callable[[Summary], str]]


def _table(
    title: str,
    summaries: Sequence[Summary],
    columns: Sequence[Column],
    measured: Callable[[Summary], bool],
) -> Table:
    columns = (("set or language", _group_name), ("engine", lambda s: s.engine), *columns)
    rows = [
        tuple(text(summary) for _, text in columns) for summary in summaries if measured(summary)
    ]
    return Table(title, tuple(name for name, _ in columns), tuple(rows))


def _group_name(summary: Summary) -> str:
    return f"language {summary.group}" if summary.kind == "language" else summary.group


def _has(name: str) -> Callable[[Summary], bool]:
    return lambda summary: getattr(summary, name) is not None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"


def _counted(name: str) -> Callable[[Summary], str]:
    return lambda summary: str(getattr(summary.errors, name))


_UNIT_SIGNS = {"words": "W", "characters": "C", "words and characters": "W+C"}

_ACCURACY: tuple[Column, ...] = (
    ("clips", lambda s: str(s.n_clips)),
    ("minutes", lambda s: f"{s.duration / 60:.1f}"),
    ("unit", lambda s: _UNIT_SIGNS[s.unit]),
    ("in reference", _counted("n_reference")),
    ("error %", lambda s: _percent(s.errors.rate if s.errors else None)),
    ("sub", _counted("substitutions")),
    ("del", _counted("deletions")),
    ("ins", _counted("insertions")),
    ("language right %", lambda s: _percent(s.language_accuracy)),
    ("x real time", lambda s: f"{s.real_time_factor:.1f}"),
)

_INVENTION: tuple[Column, ...] = (
    ("words invented", lambda s: str(s.invented.words) if s.invented else ""),
    ("seconds covered", lambda s: f"{s.invented.seconds:.1f}" if s.invented else ""),
)


def _timing_columns(name: str) -> tuple[Column, ...]:
    def figure(pick: Callable[[TimingSummary], str]) -> Callable[[Summary], str]:
        return lambda summary: pick(getattr(summary, name))

    return (
        ("matched", figure(lambda t: str(t.n))),
        ("matched %", figure(lambda t: f"{100 * t.matched:.1f}")),
        ("median ms", figure(lambda t: f"{t.median_ms:.0f}")),
        ("p90 ms", figure(lambda t: f"{t.p90_ms:.0f}")),
        ("bias ms", figure(lambda t: f"{t.bias_ms:+.0f}")),
        *(
            (f"% within {tolerance} ms", figure(partial(_share_within, i)))
            for i, tolerance in enumerate(TOLERANCES_MS)
        ),
    )


def _share_within(index: int, timing: TimingSummary) -> str:
    return f"{100 * timing.within[index]:.1f}"


def _summary_row(summary: Summary) -> dict[str, Any]:
    row = asdict(summary) | {"real_time_factor": summary.real_time_factor}
    if summary.errors is not None:
        row["errors"] |= {"rate": summary.errors.rate}
    return row


def _clip_row(result: ClipResult) -> dict[str, Any]:
    row = asdict(result)
    if result.errors is not None:
        row["errors"] |= {"rate": result.errors.rate}
    return row


def _rounded(value: Any) -> Any:
    """The same with numbers at six decimals and what is absent left out."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value
