"""Subtitles of anybody's making → what is wrong with them, as a viewer or a broadcaster sees it.

Floor 2 of the road; pure: `SubtitleFile` and speech come in, a `Report` goes out. It looks at
`RawCue`s, so that overlaps and disorder are seen as they stand in the file.

    report    Rule, Finding, Report and its JSON form
    text      markup and wrong characters that were left in the text
    cues      the rules for cues as they stand
    spoken    cues held against the speech in the video
    page      the report as one HTML page

To add a rule: a row of `report.RULES`, and a function that yields its findings in `cues` or
`spoken`, with a case in its test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from subvino.audio import SpeechSegment
from subvino.check.cues import find_in_cues
from subvino.check.page import render_page
from subvino.check.report import (
    RULES,
    Finding,
    Report,
    Rule,
    choose_rules,
    count_things,
    describe_amount,
    describe_time,
)
from subvino.check.spoken import SpeechLimits, find_in_speech
from subvino.check.text import clean_text
from subvino.cues import CueRules
from subvino.formats import SubtitleFile

__all__ = [
    "RULES",
    "Finding",
    "Report",
    "Rule",
    "SpeechLimits",
    "check",
    "choose_rules",
    "clean_text",
    "count_things",
    "describe_amount",
    "describe_time",
    "find_in_cues",
    "find_in_speech",
    "render_page",
]


def check(
    file: SubtitleFile,
    rules: CueRules,
    *,
    language: str = "",
    speech: Sequence[SpeechSegment] | None = None,
    limits: SpeechLimits | None = None,
) -> Report:
    """What is wrong with the cues of a file, in the order of time.

    language: code of the text's; the file's own where "".
    speech: of the video, in order; None where it is not known.
    """
    language = language or file.language
    findings = [*_find_in_file(file), *find_in_cues(file.cues, rules, language)]
    if speech is not None:
        findings += find_in_speech(file.cues, speech, limits or SpeechLimits())
    return Report(
        cues=file.cues,
        format=file.format,
        encoding=file.encoding,
        language=language,
        findings=tuple(sorted(findings, key=lambda found: (found.time_ms, found.cue or 0))),
        speech=None if speech is None else tuple(speech),
    )


def _find_in_file(file: SubtitleFile) -> Iterator[Finding]:
    """What can be said of the file as a whole."""
    if file.encoding not in ("utf-8", "utf-8-sig"):
        yield Finding("encoding", 0, note=f"read as {file.encoding}, not UTF-8")
    if not file.cues:
        yield Finding("empty", 0, note="no cue in the file")
