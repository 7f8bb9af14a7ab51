"""What the page shows, as plain values: jobs, cues, reports. Floor 5 of the road; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from subvino.check import (
    RULES,
    Finding,
    Report,
    check,
    count_things,
    describe_amount,
)
from subvino.cues import rules_for
from subvino.formats import SubtitleFile
from subvino.server.drafts import Draft
from subvino.server.editing import Cues, find_doubts, format_time
from subvino.server.job import Job
from subvino.server.videos import MadeVideo
from subvino.subtitles import RawCue
from subvino.tokenizer import LANGUAGES

Row = dict[str, Any]
"""A JSON object on its way to the page."""


def language_name(code: str | None) -> str:
    """As people call it.

    >>> language_name("de"), language_name(None)
    ('German', '')
    """
    return LANGUAGES.get(code, code).capitalize() if code else ""


def sentence(text: str) -> str:
    """A message as a sentence begins.

    >>> sentence("the disk is full")
    'The disk is full'
    """
    return text[:1].upper() + text[1:]


def describe_wait(seconds: float | None) -> str:
    """How long something will take, roughly; "" where that is not known.

    >>> describe_wait(8.4), describe_wait(95), describe_wait(5000), describe_wait(None)
    ('9 s left', '1 min 35 s left', '1 h 23 min left', '')
    """
    if seconds is None:
        return ""
    whole = int(seconds) + 1 if seconds < 60 else int(seconds)
    if whole < 60:
        return f"{whole} s left"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s left"
    return f"{whole // 3600} h {whole % 3600 // 60} min left"


def describe_duration(seconds: float | None) -> str:
    """A length of media.

    >>> describe_duration(16.3), describe_duration(3723)
    ('0:16', '1:02:03')
    """
    return "" if seconds is None else format_time(round(seconds) * 1000).partition(".")[0]


def job_row(job: Job, waiting: int = 0) -> Row:
    """A job as the history lists it. waiting: jobs before it."""
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "told": _tell_state(job, waiting),
        "progress": job.progress,
        "created": job.created,
        "duration": describe_duration(job.duration),
        "model": job.options.model,
        "task": job.options.task,
        "warning": job.warning or "",
    }


def _tell_state(job: Job, waiting: int) -> str:
    if job.state == "queued":
        return f"Waiting for {count_things(waiting, 'job')}" if waiting else "Starting"
    if job.state == "running":
        # A step is told while nothing is heard yet: to fetch, to load the model.
        return describe_wait(job.eta) or sentence(job.step) or "Listening"
    return job.error or "Failed" if job.state == "failed" else sentence(job.state)


def draft_row(draft: Draft, language: str) -> Row:
    """The cues of a draft, the report of its profile, and what can be done with it."""
    report = check_cues(draft.cues, draft.profile, language)
    return {
        "revision": draft.revision,
        "profile": draft.profile,
        "edited": draft.edited,
        "can_undo": draft.can_undo,
        "can_redo": draft.can_redo,
        "cues": cue_rows(draft.cues, report),
        "report": report_row(report),
    }


def check_cues(cues: Cues, profile: str, language: str) -> Report:
    """What is wrong with cues by the rules of a profile."""
    raw = tuple(RawCue(cue.start_ms, cue.end_ms, cue.text) for cue in cues)
    # Encoding and format are the file's, which has none of its own here.
    file = SubtitleFile(raw, "srt", "utf-8", language)
    return check(file, rules_for(profile, language), language=language)


def cue_rows(cues: Cues, report: Report | None = None) -> list[Row]:
    """Each cue with its doubtful words and what is wrong with it."""
    found = report.by_cue() if report else {}
    return [
        {
            "start_ms": cue.start_ms,
            "end_ms": cue.end_ms,
            "start": format_time(cue.start_ms),
            "end": format_time(cue.end_ms),
            "text": cue.text,
            "doubts": [
                [doubt.begin, doubt.end, round(100 * doubt.probability)]
                for doubt in find_doubts(cue)
            ],
            "findings": [finding_row(finding) for finding in found.get(number, ())],
        }
        for number, cue in enumerate(cues, start=1)
    ]


def finding_row(finding: Finding) -> Row:
    """What is wrong, in words."""
    rule = RULES[finding.rule]
    details = "" if finding.found is None else f"{describe_amount(finding.found)} {rule.unit}"
    if finding.limit:
        details += f", limit {describe_amount(finding.limit)}"
    detail = "; ".join(filter(None, (details, finding.note)))
    return {"title": rule.title, "detail": detail, "grave": rule.grave}


def report_row(report: Report) -> Row:
    """The rules broken, and how many cues follow them all."""
    by_cue = report.by_cue()
    first = {finding.rule: finding.cue for finding in reversed(report.findings)}
    return {
        "n_cues": len(report.cues),
        "n_clean": len(report.cues) - len(by_cue),
        "n_findings": len(report.findings),
        "rules": [
            {
                "title": RULES[rule].title,
                "count": count,
                "grave": RULES[rule].grave,
                "cue": (first[rule] or 1) - 1,
            }
            for rule, count in report.counts().items()
        ],
    }


def video_row(video: MadeVideo | None, kind: str, path: str) -> Row:
    """A video with subtitles in it. path: of its address on this server."""
    if video is None:
        return {"kind": kind, "state": "none"}
    return {
        "kind": kind,
        "state": video.state,
        "progress": video.progress,
        "message": video.message,
        "url": path if video.state == "done" else "",
    }


def choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Languages as a menu has them: by name, with what is to be found out first."""
    known = sorted((language_name(code), code) for code in names)
    return [("Find out", "auto"), *known]
