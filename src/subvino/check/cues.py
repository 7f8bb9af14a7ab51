"""Cues as they stand in a file, held against rules: times, text, and their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from subvino.check.report import Finding
from subvino.check.text import clean_text, even_spaces, find_garbled
from subvino.cues import CueRules, violations
from subvino.linebreak import ends_sentence, primary_language, split_words, text_width
from subvino.subtitles import Cue, RawCue, Subtitles

_NEAR_MS = 1000
"""Cues this close belong to one sentence; after a longer pause a word may stand alone."""
_ORPHAN_WIDTH = 0.3
"""A last line of a single word this wide, of what a line holds, is no orphan (as `linebreak`)."""

_TOO_FAST = ("max_cps", "max_wpm")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A cue of the file with its number, from 1; `lines` has none that is empty."""

    number: int
    raw: RawCue
    lines: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it can be shown: it has text, and ends after it begins."""
        return bool(self.lines) and self.raw.end_ms > self.raw.start_ms >= 0

    def finding(
        self, rule: str, found: float | None = None, limit: float | None = None, note: str = ""
    ) -> Finding:
        return Finding(rule, self.raw.start_ms, self.number, found, limit, note)


def find_in_cues(cues: Sequence[RawCue], rules: CueRules, language: str = "") -> Iterator[Finding]:
    """Every rule that a cue of the file breaks; cues in the file's order."""
    language = primary_language(language)
    placed = [_Placed(number, cue, _lines(cue)) for number, cue in enumerate(cues, start=1)]
    yield from _find_disorder(placed)
    for cue in placed:
        yield from _find_alone(cue, rules, language)
    shown = sorted((cue for cue in placed if cue.is_whole), key=lambda cue: cue.raw.start_ms)
    yield from _find_overlaps(shown)
    for cue, following in zip(shown, [*shown[1:], None], strict=False):
        yield from _find_by_rules(cue, following, rules)
    yield from _find_lone_words(shown, language)


def _lines(cue: RawCue) -> tuple[str, ...]:
    return tuple(line.strip() for line in cue.text.splitlines() if line.strip())


def _find_disorder(cues: Sequence[_Placed]) -> Iterator[Finding]:
    latest = 0
    for cue in cues:
        if cue.raw.start_ms < latest:
            yield cue.finding("order", latest - cue.raw.start_ms, 0)
        latest = max(latest, cue.raw.start_ms)


def _find_alone(cue: _Placed, rules: CueRules, language: str) -> Iterator[Finding]:
    """What is wrong with the cue whatever stands beside it."""
    if not cue.lines:
        yield cue.finding("empty")
    if cue.raw.end_ms <= cue.raw.start_ms:
        yield cue.finding("no_duration", cue.raw.end_ms - cue.raw.start_ms, 0)
    if (garbled := find_garbled(cue.raw.text)) is not None:
        yield cue.finding("encoding", note=garbled)
    if clean_text(cue.raw.text) != even_spaces(cue.raw.text):
        yield cue.finding("markup")
    if _ends_in_orphan(cue.lines, rules, language):
        yield cue.finding("orphan_line", note=cue.lines[-1][:40])


def _ends_in_orphan(lines: Sequence[str], rules: CueRules, language: str) -> bool:
    if len(lines) < 2 or lines[-1][0] in "-–—♪#[(（":
        return False
    above, last = lines[-2:]
    lone = len(split_words(last)) == 1 and len(split_words(above)) > 1
    narrow = text_width(last, rules.narrow_width) < _ORPHAN_WIDTH * rules.max_chars
    return lone and narrow and not ends_sentence(above, last, language)


def _find_overlaps(cues: Sequence[_Placed]) -> Iterator[Finding]:
    """cues: in the order of their in-times."""
    longest: _Placed | None = None
    for cue in cues:
        if longest is not None and cue.raw.start_ms < longest.raw.end_ms:
            over = min(longest.raw.end_ms, cue.raw.end_ms) - cue.raw.start_ms
            yield cue.finding("overlap", over, 0, f"with cue {longest.number}")
        if longest is None or cue.raw.end_ms > longest.raw.end_ms:
            longest = cue


def _find_by_rules(cue: _Placed, following: _Placed | None, rules: CueRules) -> Iterator[Finding]:
    """The rules that cues are built by; the gap after the cue, where it is one."""
    shown = [_as_cue(cue)]
    if following is not None and following.raw.start_ms >= cue.raw.end_ms:
        shown.append(_as_cue(following))
    for breach in violations(Subtitles(tuple(shown)), rules):
        if breach.cue == 0:
            note = _room_after(cue, following, rules) if breach.rule in _TOO_FAST else ""
            yield cue.finding(breach.rule, breach.found, breach.limit, note)


def _room_after(cue: _Placed, following: _Placed | None, rules: CueRules) -> str:
    """Whether a cue that is too fast could be shown longer; if not, it was said that fast."""
    if following is None:
        return ""
    room = following.raw.start_ms - cue.raw.end_ms - rules.min_gap_ms
    return f"{room} ms free until the next" if room > 0 else "the next follows at once"


def _as_cue(cue: _Placed) -> Cue:
    return Cue(cue.raw.start_ms, cue.raw.end_ms, cue.lines)


def _find_lone_words(cues: Sequence[_Placed], language: str) -> Iterator[Finding]:
    """Cues of one word whose sentence goes on in the cue before or after."""
    for before, cue, after in zip([None, *cues], cues, [*cues[1:], None], strict=False):
        text = cue.lines[0]
        if len(cue.lines) > 1 or len(split_words(text)) > 1 or not text[0].isalnum():
            continue
        joined = (pair for pair in pairwise((before, cue, after)) if _goes_on(*pair, language))
        if any(joined):
            yield cue.finding("orphan_cue", note=text[:40])


def _goes_on(cue: _Placed | None, following: _Placed | None, language: str) -> bool:
    """Whether a sentence goes on from a cue to the next."""
    if cue is None or following is None:
        return False
    near = following.raw.start_ms - cue.raw.end_ms < _NEAR_MS
    return near and not ends_sentence(cue.lines[-1], following.lines[0], language)
