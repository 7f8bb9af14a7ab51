"""A report as one HTML page that needs nothing beside it; all text in it is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from subvino.evaluate.report import Report, Table
from subvino.evaluate.score import ClipResult

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8884; text-align: right }
th:nth-child(-n+2), td:nth-child(-n+2), .text td { text-align: left; vertical-align: top }
img { max-width: 100%; background: white }
:root { color-scheme: light dark }
"""


def render_page(report: Report, plots: Mapping[str, bytes], title: str) -> str:
    """The page: tables, plots (name → PNG), and what was heard in each clip, the worst first."""
    return render_document(
        title,
        [
            *map(render_table, report.tables()),
            *(render_plot(name, png) for name, png in plots.items()),
            "<h2>Clips, the worst first</h2>",
            _render_clips(report),
        ],
    )


def render_document(title: str, parts: Sequence[str]) -> str:
    """A page of its own with a heading; parts: HTML."""
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def render_table(table: Table, *, text: bool = False) -> str:
    """A table with its title; text: all its columns are text, not figures."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "\n".join(_render_row(row) for row in table.rows)
    kind = ' class="text"' if text else ""
    return (
        f"<h2>{escape(table.title)}</h2>\n"
        f"<table{kind}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _render_row(cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def render_plot(name: str, png: bytes) -> str:
    """A picture that lies in the page itself."""
    data = base64.b64encode(png).decode("ascii")
    return f'<p><img alt="{escape(name)}" src="data:image/png;base64,{data}"></p>'


def _render_clips(report: Report) -> str:
    rows = "\n".join(_clip_rows(report))
    head = "".join(f"<th>{name}</th>" for name in ("clip", "by", "error %", "text"))
    return (
        f'<table class="text">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>'
    )


def _clip_rows(report: Report) -> Iterator[str]:
    clips: dict[tuple[str, str], list[ClipResult]] = {}
    for result in report.results:
        clips.setdefault((result.manifest, result.clip), []).append(result)
    for results in sorted(clips.values(), key=lambda found: -max(map(_badness, found))):
        first = results[0]
        yield _render_row((f"{first.manifest}/{first.clip}", "reference", "", first.reference))
        for result in results:
            yield _render_row(("", result.engine, _percent(result), result.text))


def _badness(result: ClipResult) -> float:
    """The error rate; invented words where nobody speaks."""
    if result.errors is not None:
        return result.errors.rate or 0.0
    return float(result.invented.words) if result.invented is not None else 0.0


def _percent(result: ClipResult) -> str:
    rate = result.errors.rate if result.errors is not None else None
    return "" if rate is None else f"{100 * rate:.1f}"
