"""A report as one HTML page that needs nothing beside it; all text in it is escaped.

The timeline has a row for each half minute in which anything happens: cues as bars in the colour
of their verdict, beneath them the speech. A bar links to its cue in the list, and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from subvino.check.report import (
    RULES,
    Finding,
    Report,
    count_things,
    describe_amount,
    describe_time,
)
from subvino.subtitles import RawCue

_ROW_MS = 30_000
_TICK_MS = 5_000
_MOST_ROWS = 20
"""Rows that one cue is drawn in: a cue of hours is wrong in a way that ten minutes show."""
_MOST_LANES = 3
"""Cues shown one above another where they overlap."""

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8888; --fine: #2f9e6e; --minor: #d08700;
  --grave: #d5342f; --speech: #4a90d9 }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 82rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem }
.about { color: #888; margin: .2rem 0 1.2rem }
.verdict { font-weight: 600 }
.fine { --hue: var(--fine) } .minor { --hue: var(--minor) } .grave { --hue: var(--grave) }
.verdict, .count { color: var(--hue) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top }
th { font-size: .8rem; font-weight: 600; color: #888 }
.number { text-align: right; white-space: nowrap }
.summary { width: auto; min-width: 34rem }
.meter { width: 10rem } .meter i { display: block; height: .6rem; margin-top: .45rem;
  min-width: 2px; border-radius: 2px; background: var(--hue) }
code { font-size: .85em }
.legend span { margin-right: 1.2rem; color: #888 }
.legend i { display: inline-block; width: 1.6rem; height: .7rem; border-radius: 2px;
  margin-right: .4rem; background: var(--hue) }
.row { display: flex; align-items: stretch; border-top: 1px solid var(--line) }
.row > b { flex: 0 0 5.2rem; font: 12px/1 ui-monospace, monospace; color: #888; padding-top: .5rem }
.track { position: relative; flex: 1; overflow: hidden; margin: 3px 0;
  background: repeating-linear-gradient(90deg, var(--line) 0 1px, transparent 1px 16.6667%) }
.track a { position: absolute; height: 19px; padding: 0 4px; font-size: 11px; line-height: 19px;
  white-space: nowrap; overflow: hidden; border-radius: 3px; color: inherit; text-decoration: none;
  background: color-mix(in srgb, var(--hue) 28%, transparent);
  border-left: 3px solid var(--hue) }
.track a:hover, .track a:target { outline: 2px solid var(--hue); z-index: 2 }
.track i { position: absolute; height: 5px; border-radius: 2px; background: var(--speech) }
.track a.alone { padding: 0; height: 9px; border: 0; background: var(--grave) }
.pause { color: #888; font-size: 12px; border-top: 1px solid var(--line); padding: .15rem 5.2rem }
#flagged:checked ~ table tr.fine:not(:target) { display: none }
tr:target { background: #8882 }
td.text { white-space: pre-line; overflow-wrap: anywhere; width: 42% }
td a { color: inherit }
.list td:first-child { border-left: 3px solid var(--hue) }
.chip { display: inline-block; margin: 0 .3rem .2rem 0; padding: 0 .5rem; border-radius: .8rem;
  font-size: .85rem; border: 1px solid var(--hue) }
.legend span { display: inline-block }
@media (max-width: 50rem) { body { padding: .8rem } .row > b { flex-basis: 3.4rem }
  th, td { padding: .35rem .4rem } .summary { min-width: 0; width: 100% }
  .summary .meter, .summary th:last-child { display: none }
  .list th { display: none } .list tr { display: flex; flex-wrap: wrap;
  border-left: 3px solid var(--hue); border-bottom: 1px solid var(--line) }
  .list td { border: 0 } .list td:first-child { border: 0 } .list br { display: none }
  .list td:nth-child(2) { word-spacing: .5em } td.text, .list td:last-child { flex: 0 0 100% } }
@media print { .track a, .track i { print-color-adjust: exact } .row { break-inside: avoid } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(report: Report, title: str, facts: Mapping[str, str]) -> str:
    """The page: what the file is, the rules it breaks, the timeline, and the list of cues.

    facts: more to say about the check, by name: the profile, the video.
    """
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            _render_facts(report, facts),
            _render_summary(report),
            _render_timeline(report),
            _render_list(report),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _render_facts(report: Report, facts: Mapping[str, str]) -> str:
    known = {
        "format": report.format,
        "encoding": report.encoding,
        "language": report.language,
        **facts,
    }
    parts = [count_things(len(report.cues), "cue"), *(f"{k} {v}" for k, v in known.items() if v)]
    text = " · ".join(escape(part) for part in [*parts, *report.notes])
    n_wrong = len(report.findings)
    verdict = count_things(n_wrong, "violation") if n_wrong else "Clean: no rule is broken."
    colour = _verdict(report.findings)
    return f'<p class="about">{text}</p>\n<p class="verdict {colour}">{verdict}</p>'


def _verdict(findings: Iterable[Finding]) -> str:
    graves = [RULES[finding.rule].grave for finding in findings]
    return "grave" if any(graves) else "minor" if graves else "fine"


def _render_summary(report: Report) -> str:
    counts = report.counts()
    if not counts:
        return ""
    most = max(counts.values())
    rows = "\n".join(_summary_row(rule, n, n / most, report) for rule, n in counts.items())
    head = '<th>rule</th><th></th><th class="number">found</th><th class="number">of 100 cues</th>'
    return f'<table class="summary">\n<tr>{head}<th></th></tr>\n{rows}\n</table>'


def _summary_row(rule: str, count: int, share: float, report: Report) -> str:
    colour = "grave" if RULES[rule].grave else "minor"
    return (
        f'<tr class="{colour}"><td><code>{rule}</code></td><td>{escape(RULES[rule].title)}</td>'
        f'<td class="number count">{count}</td>'
        f'<td class="number">{report.per_100_cues(count):.1f}</td>'
        f'<td class="meter"><i style="width:{100 * share:.0f}%"></i></td></tr>'
    )


# --- timeline -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mark:
    """A part of a row taken by something: milliseconds in the row, HTML with places for them."""

    start_ms: int
    end_ms: int
    tag: str
    attributes: str
    text: str = ""

    def render(self, top: int) -> str:
        left, width = self.start_ms / _ROW_MS, (self.end_ms - self.start_ms) / _ROW_MS
        place = f"left:{left:.3%};width:{width:.3%};top:{top}px"
        return f'<{self.tag} {self.attributes} style="{place}">{self.text}</{self.tag}>'


_Rows = dict[int, list[_Mark]]


def _render_timeline(report: Report) -> str:
    cues, speech = _cue_marks(report), _speech_marks(report)
    rows = []
    before = -1
    for number in sorted({*cues, *speech}):
        if number > before + 1:
            rows.append(f'<div class="pause">nothing until {_row_time(number)}</div>')
        rows.append(_render_row(number, cues.get(number, []), speech.get(number, [])))
        before = number
    return f"<h2>Timeline</h2>\n{_render_legend(report)}\n" + "\n".join(rows)


def _render_legend(report: Report) -> str:
    colours = [("fine", "follows the rules"), ("minor", "poor form"), ("grave", "hard to follow")]
    keys = [f'<span class="{name}"><i></i>{text}</span>' for name, text in colours]
    if report.speech is not None:
        keys.append('<span style="--hue:var(--speech)"><i></i>speech</span>')
        keys.append('<span class="grave"><i style="height:9px"></i>speech without a cue</span>')
    return f'<p class="legend">{"".join(keys)}</p>'


def _row_time(number: int) -> str:
    return describe_time(number * _ROW_MS).partition(".")[0]


def _render_row(number: int, cues: Sequence[_Mark], speech: Sequence[_Mark]) -> str:
    lanes = list(_lanes(cues))
    height = 21 * (max(lanes, default=0) + 1)
    marks = [mark.render(21 * lane) for mark, lane in zip(cues, lanes, strict=True)]
    marks += [mark.render(height + (0 if mark.tag == "a" else 2)) for mark in speech]
    below = 10 if speech else 0
    return (
        f'<div class="row"><b>{_row_time(number)}</b>'
        f'<div class="track" style="height:{height + below}px">{"".join(marks)}</div></div>'
    )


def _lanes(marks: Sequence[_Mark]) -> Iterator[int]:
    """Where each mark stands, so that those that overlap are seen; from 0 at the top."""
    ends = [0] * _MOST_LANES
    for mark in marks:
        free = [lane for lane, end in enumerate(ends) if end <= mark.start_ms]
        lane = free[0] if free else _MOST_LANES - 1
        ends[lane] = max(ends[lane], mark.end_ms)
        yield lane


def _cue_marks(report: Report) -> _Rows:
    rows: _Rows = {}
    found = report.by_cue()
    for number, cue in sorted(enumerate(report.cues, start=1), key=lambda item: item[1].start_ms):
        findings = found.get(number, [])
        reasons = [RULES[finding.rule].title for finding in findings]
        hint = escape("\n".join([f"{number}: {cue.text}", *(f"- {text}" for text in reasons)]))
        attributes = f'class="{_verdict(findings)}" href="#cue-{number}" title="{hint}"'
        text = f'<span dir="auto">{escape(" ".join(cue.text.split()))}</span>'
        anchor = f'id="bar-{number}" '
        for row, start_ms, end_ms in _split(cue.start_ms, max(cue.end_ms, cue.start_ms + 100)):
            mark = _Mark(start_ms, end_ms, "a", anchor + attributes, text)
            rows.setdefault(row, []).append(mark)
            anchor = ""
    return rows


def _speech_marks(report: Report) -> _Rows:
    rows: _Rows = {}
    for segment in report.speech or ():
        times = round(segment.start * 1000), round(segment.end * 1000)
        for row, start_ms, end_ms in _split(*times, most_rows=None):
            rows.setdefault(row, []).append(_Mark(start_ms, end_ms, "i", ""))
    for finding in report.findings:
        if finding.rule == "no_cue":
            link = f'href="#at-{finding.time_ms}"'
            attributes = f'class="alone" title="{escape(finding.note)}" {link}'
            end_ms = finding.time_ms + round(finding.found or 0)
            for row, start_ms, end in _split(finding.time_ms, end_ms):
                rows.setdefault(row, []).append(_Mark(start_ms, end, "a", attributes))
    return rows


def _split(
    start_ms: int, end_ms: int, most_rows: int | None = _MOST_ROWS
) -> Iterator[tuple[int, int, int]]:
    """The rows that a stretch lies in, with where it begins and ends in each."""
    start_ms = max(start_ms, 0)
    first, last = start_ms // _ROW_MS, max(end_ms - 1, start_ms) // _ROW_MS
    if most_rows is not None:
        last = min(last, first + most_rows - 1)
    for row in range(first, last + 1):
        begin = row * _ROW_MS
        yield row, max(start_ms - begin, 0), min(max(end_ms, start_ms) - begin, _ROW_MS)


# --- list ---------------------------------------------------------------------------------------


def _render_list(report: Report) -> str:
    found = report.by_cue()
    rows = [
        (cue.start_ms, _list_row(number, cue, found.get(number, [])))
        for number, cue in enumerate(report.cues, start=1)
    ]
    rows += [(f.time_ms, _lone_row(f)) for f in report.findings if f.cue is None]
    body = "\n".join(row for _, row in sorted(rows, key=lambda item: item[0]))
    checked = " checked" if report.findings else ""
    return (
        f'<h2>Cues</h2>\n<input type="checkbox" id="flagged"{checked}>'
        '<label for="flagged"> only those that break a rule</label>\n'
        '<table class="list">\n<tr><th class="number">cue</th><th>time</th><th>text</th>'
        f"<th>found</th></tr>\n{body}\n</table>"
    )


def _list_row(number: int, cue: RawCue, findings: Sequence[Finding]) -> str:
    times = f"{describe_time(cue.start_ms)} <br>{describe_time(cue.end_ms)}"
    return (
        f'<tr class="{_verdict(findings)}" id="cue-{number}">'
        f'<td class="number"><a href="#bar-{number}">{number}</a></td>'
        f'<td>{times}</td><td class="text" dir="auto">{escape(cue.text)}</td>'
        f"<td>{''.join(map(_render_chip, findings))}</td></tr>"
    )


def _lone_row(finding: Finding) -> str:
    return (
        f'<tr class="{_verdict([finding])}" id="at-{finding.time_ms}"><td></td>'
        f"<td>{describe_time(finding.time_ms)}</td><td></td><td>{_render_chip(finding)}</td></tr>"
    )


def _render_chip(finding: Finding) -> str:
    rule = RULES[finding.rule]
    details = [] if finding.found is None else [f"{describe_amount(finding.found)} {rule.unit}"]
    if finding.limit:
        details.append(f"limit {describe_amount(finding.limit)}")
    details += [finding.note] if finding.note else []
    text = rule.title + (f": {', '.join(details)}" if details else "")
    return f'<span class="chip {_verdict([finding])}">{escape(text)}</span>'
