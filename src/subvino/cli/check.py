"""`subvino check`: what is wrong with anybody's subtitles, for people and for pipelines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.options import given, split_list
from subvino.cli.screen import Screen, to_visible
from subvino.cli.subtitle_input import (
    AudioTrack,
    ChainGap,
    File,
    FrameRate,
    Language,
    MaxChars,
    MaxCps,
    MaxDuration,
    MaxLines,
    MaxWpm,
    MinDuration,
    MinGap,
    NarrowWidth,
    Profile,
    RuleOptions,
    Video,
    hear_video,
    read_subtitles,
    text_language,
)
from subvino.errors import OptionError, SubvinoError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from subvino.check import Finding, Report

EXIT_VIOLATIONS = 1
EXIT_UNREADABLE = 2
_REPORT, _SPEECH = "Report", "Speech"
_ROWS = 50
_TEXT_WIDTH = 48


def check(  # as long as there are options: Typer reads them off the parameters
    path: File,
    video: Video = None,
    audio_track: AudioTrack = None,
    min_spoken: Annotated[
        float | None,
        typer.Option(
            "--min-spoken",
            metavar="SHARE",
            help="Share of a cue's time, 0 to 1, in which somebody speaks (default: 0.1).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    max_uncovered: Annotated[
        float | None,
        typer.Option(
            "--max-uncovered",
            metavar="SECONDS",
            help="Speech that may go without a cue (default: 1).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    max_early: Annotated[
        float | None,
        typer.Option(
            "--max-early",
            metavar="SECONDS",
            help="How long before its speech a cue may come in (default: 0.3).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    max_late: Annotated[
        float | None,
        typer.Option(
            "--max-late",
            metavar="SECONDS",
            help="How long after its speech has begun a cue may come in (default: 0.3).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    profile: Profile = None,
    max_chars: MaxChars = None,
    max_lines: MaxLines = None,
    max_cps: MaxCps = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    max_wpm: MaxWpm = None,
    min_gap: MinGap = None,
    frame_rate: FrameRate = None,
    chain_gap: ChainGap = None,
    narrow_width: NarrowWidth = None,
    language: Language = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="RULE,...",
            help="Look for these only: see the list in docs/check.md.",
            rich_help_panel=_REPORT,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="RULE,...", help="Don't look for these.", rich_help_panel=_REPORT
        ),
    ] = None,
    max_violations: Annotated[
        int,
        typer.Option(
            "--max-violations",
            metavar="N",
            min=0,
            help="Exit with 0 up to this many (default: 0).",
            show_default=False,
            rich_help_panel=_REPORT,
        ),
    ] = 0,
    rows: Annotated[
        int,
        typer.Option(
            "--rows",
            metavar="N",
            min=0,
            help=f"Show the first N in the table, 0 for all (default: {_ROWS}).",
            show_default=False,
            rich_help_panel=_REPORT,
        ),
    ] = _ROWS,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_REPORT),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="PAGE",
            help="Write a page with a timeline.",
            rich_help_panel=_REPORT,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print errors only.", rich_help_panel=_REPORT)
    ] = False,
) -> None:
    """Check subtitles: times, reading speed, lines, encoding, and with --video the speech.

    Ends with 0 where no rule is broken, 1 where one is, 2 where the file can't be read.

    [bold]Examples[/bold]

      subvino check film.en.srt --profile netflix

      subvino check film.en.srt --video film.mkv --html report.html

      subvino check film.en.srt --ignore chain-gap-ms,orphan-line --max-violations 3
    """
    from subvino.check import SpeechLimits, choose_rules
    from subvino.check import check as run

    screen = Screen(quiet=quiet)
    options = RuleOptions(
        profile,
        max_chars,
        max_lines,
        max_cps,
        min_duration,
        max_duration,
        max_wpm,
        min_gap,
        frame_rate,
        chain_gap,
        narrow_width=narrow_width,
    )
    with _failing_as_unreadable(screen):
        wanted = choose_rules(split_list(only), split_list(ignore))
        limits = SpeechLimits(
            **given(
                min_spoken=min_spoken,
                max_uncovered=max_uncovered,
                max_early=max_early,
                max_late=max_late,
            )
        )
        if video is None and (audio_track or limits != SpeechLimits()):
            raise OptionError("options about speech need --video")
        options.rules_for("")
        file = read_subtitles(path)
        code = text_language(language, file, path)
        speech = None if video is None else hear_video(video, audio_track, screen).segments
        rules = options.rules_for(code)
        report = run(file, rules, language=code, speech=speech, limits=limits).only(wanted)
        facts = {"profile": options.profile_name, **({"video": str(video)} if video else {})}
        if html is not None:
            _write_page(report, html, path.name, facts)
    if as_json and not quiet:
        typer.echo(report.to_json(file=str(path), **facts), nl=False)
    elif not quiet:
        _show(report, path, rows)
    if len(report.findings) > max_violations:
        raise typer.Exit(EXIT_VIOLATIONS)


@contextmanager
def _failing_as_unreadable(screen: Screen) -> Iterator[None]:
    """Ends the command with a line and a status that a pipeline can tell from violations."""
    try:
        yield
    except SubvinoError as error:
        screen.error(str(error))
        raise typer.Exit(EXIT_UNREADABLE) from error


def _write_page(report: Report, page: Path, title: str, facts: dict[str, str]) -> None:
    from subvino.check import render_page
    from subvino.outputs import write_file

    content = render_page(report, title, facts)
    write_file(page, content.encode("utf-8", errors="replace"))


# --- tables -------------------------------------------------------------------------------------


def _show(report: Report, path: Path, most_rows: int) -> None:
    """The findings, then how many of each rule."""
    from rich.console import Console

    from subvino.check import count_things

    # A pipe has no width; what is cut off there could not be found again.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(width=160)
    for note in report.notes:
        console.print(to_visible(f"note: {path} {note}"), markup=False)
    shown = report.findings[:most_rows] if most_rows else report.findings
    if shown:
        console.print(_findings_table(shown, report))
    if len(shown) < len(report.findings):
        left = len(report.findings) - len(shown)
        console.print(f"and {left} more: --rows 0, --json or --html shows all\n", markup=False)
    if report.findings:
        console.print(_summary_table(report))
    n_wrong = len(report.findings)
    verdict = count_things(n_wrong, "violation") if n_wrong else "clean"
    line = f"{path}: {count_things(len(report.cues), 'cue')}, {verdict}"
    console.print(to_visible(line), markup=False)


def _findings_table(findings: Sequence[Finding], report: Report) -> Table:
    table = _new_table(
        "TIME", "CUE", "RULE", "FOUND", "LIMIT", "TEXT", right=("CUE", "FOUND", "LIMIT")
    )
    for finding in findings:
        table.add_row(*map(_cell, _finding_cells(finding, report)), style=_colour(finding.rule))
    return table


def _finding_cells(finding: Finding, report: Report) -> tuple[str, ...]:
    from subvino.check import describe_amount, describe_time

    text = finding.note
    if finding.cue is not None:
        said = " ".join(report.cues[finding.cue - 1].text.split())
        text = f"{said[:_TEXT_WIDTH]}{'…' if len(said) > _TEXT_WIDTH else ''}"
        text += f" [{finding.note}]" if finding.note else ""
    return (
        describe_time(finding.time_ms),
        "" if finding.cue is None else str(finding.cue),
        finding.rule,
        describe_amount(finding.found),
        describe_amount(finding.limit),
        text,
    )


def _summary_table(report: Report) -> Table:
    from subvino.check import RULES

    table = _new_table("RULE", "", "UNIT", "FOUND", "OF 100 CUES", right=("FOUND", "OF 100 CUES"))
    for name, n in report.counts().items():
        rule = RULES[name]
        row = (name, rule.title, rule.unit, str(n), f"{report.per_100_cues(n):.1f}")
        table.add_row(*map(_cell, row), style=_colour(name))
    return table


def _new_table(*columns: str, right: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _cell(text: str) -> Text:
    """The text as it is: a cue may hold what Rich takes for markup, or a terminal for commands."""
    from rich.text import Text

    return Text(to_visible(text))


def _colour(rule: str) -> str:
    from subvino.check import RULES

    return "red" if RULES[rule].grave else "yellow"
