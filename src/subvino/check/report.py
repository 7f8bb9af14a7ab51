"""What a check finds: rules by name, findings, the report and its JSON form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from subvino.audio import SpeechSegment
from subvino.errors import OptionError
from subvino.subtitles import RawCue


@dataclass(frozen=True, slots=True)
class Rule:
    """title: what is wrong, in a few words. unit: of `found` and `limit`; "" where they are None.

    grave: a viewer can't follow or a player may fail; the others are matters of good form.
    """

    title: str
    unit: str = ""
    grave: bool = False


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "encoding": Rule("not UTF-8, or characters garbled by a wrong encoding", grave=True),
        "order": Rule("stands after a cue that begins later", "ms", grave=True),
        "overlap": Rule("begins before the one before has gone", "ms", grave=True),
        "no_duration": Rule("does not end after it begins", "ms", grave=True),
        "empty": Rule("no text", grave=True),
        "markup": Rule("markup that a player would show as text"),
        "max_cps": Rule("too fast to read", "characters/s", grave=True),
        "max_wpm": Rule("too fast to read", "words/min", grave=True),
        "min_duration_ms": Rule("too short", "ms"),
        "max_duration_ms": Rule("too long", "ms"),
        "max_chars": Rule("line too long", "characters"),
        "max_lines": Rule("too many lines", "lines"),
        "min_gap_ms": Rule("gap to the next too small", "ms"),
        "chain_gap_ms": Rule("gap to the next flickers: close it or leave more", "ms"),
        "orphan_line": Rule("a single word on the last line"),
        "orphan_cue": Rule("a single word of a sentence, alone"),
        "silence": Rule("nobody speaks under it", "% spoken", grave=True),
        "no_cue": Rule("speech without a cue", "ms", grave=True),
        "early": Rule("comes in before the speech", "ms"),
        "late": Rule("comes in after the speech has begun", "ms"),
    }
)
"""Rules by name, the gravest kinds first; those that are fields of `CueRules` have their names."""


def choose_rules(only: Sequence[str] | None, ignored: Sequence[str] | None) -> frozenset[str]:
    """The names of the rules wanted; "max-cps" is "max_cps". Raises OptionError for unknown ones.

    only: all where None or empty.
    """
    names = [name.replace("-", "_") for name in (*(only or ()), *(ignored or ()))]
    for name in names:
        if name not in RULES:
            raise OptionError(f"no rule {name!r}; use some of: {', '.join(RULES)}")
    wanted = frozenset(names[: len(only)]) if only else frozenset(RULES)
    return wanted - frozenset(names[len(only or ()) :])


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken.

    time_ms: where, in media time. cue: its number in the file, from 1; None for what is not a
        cue's. found, limit: in the rule's unit.
    """

    rule: str
    time_ms: int
    cue: int | None = None
    found: float | None = None
    limit: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found; `findings` in the order of time, `cues` in that of the file.

    language: code, "" where unknown. speech: of the video; None where none was given.
    """

    cues: tuple[RawCue, ...]
    format: str
    encoding: str
    language: str
    findings: tuple[Finding, ...]
    speech: tuple[SpeechSegment, ...] | None = None

    def only(self, rules: frozenset[str]) -> Report:
        """The report with the findings of these rules."""
        return replace(self, findings=tuple(f for f in self.findings if f.rule in rules))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader may want to know and breaks no rule."""
        return ("begins with a byte order mark",) if self.encoding == "utf-8-sig" else ()

    def counts(self) -> dict[str, int]:
        """Findings by rule, in the order of RULES; rules without any are left out."""
        found = Counter(finding.rule for finding in self.findings)
        return {rule: found[rule] for rule in RULES if found[rule]}

    def per_100_cues(self, count: int) -> float:
        """A count as one of a hundred cues."""
        return 100 * count / max(len(self.cues), 1)

    def by_cue(self) -> dict[int, list[Finding]]:
        """Findings by the number of their cue."""
        found: dict[int, list[Finding]] = {}
        for finding in self.findings:
            if finding.cue is not None:
                found.setdefault(finding.cue, []).append(finding)
        return found

    def to_json(self, **context: str) -> str:
        """The documented JSON form (docs/check.md), ending in a line break.

        context: what else belongs at its head: file, profile, video.
        """
        row: dict[str, Any] = {
            **context,
            "format": self.format,
            "encoding": self.encoding,
            "language": self.language,
            "n_cues": len(self.cues),
            "n_findings": len(self.findings),
            "notes": list(self.notes),
            "summary": [
                {"rule": rule, "count": n, "per_100_cues": round(self.per_100_cues(n), 2)}
                for rule, n in self.counts().items()
            ],
            "findings": list(_finding_rows(self.findings, self.cues)),
        }
        return json.dumps(row, ensure_ascii=False, indent=2) + "\n"


def _finding_rows(findings: Iterable[Finding], cues: Sequence[RawCue]) -> Iterable[dict[str, Any]]:
    for finding in findings:
        cue = None if finding.cue is None else cues[finding.cue - 1]
        yield {
            "rule": finding.rule,
            "time_ms": finding.time_ms,
            "cue": finding.cue,
            "line": cue.line if cue and cue.line else None,
            "found": None if finding.found is None else round(finding.found, 2),
            "limit": finding.limit,
            "unit": RULES[finding.rule].unit or None,
            "note": finding.note or None,
            "text": cue.text if cue else None,
        }


def describe_amount(value: float | None) -> str:
    """A number as people read it: one decimal where it is small.

    >>> describe_amount(23.456), describe_amount(833.0), describe_amount(None)
    ('23.5', '833', '')
    """
    return "" if value is None else f"{value:.1f}".removesuffix(".0")


def count_things(n: int, name: str) -> str:
    """How many there are of something.

    >>> count_things(1, "cue"), count_things(0, "cue")
    ('1 cue', '0 cues')
    """
    return f"{n} {name}" if n == 1 else f"{n} {name}s"


def describe_time(time_ms: int) -> str:
    """A time with hours, for people.

    >>> describe_time(3_723_004)
    '1:02:03.004'
    """
    sign, time_ms = ("-", -time_ms) if time_ms < 0 else ("", time_ms)
    minutes, rest = divmod(time_ms, 60_000)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
