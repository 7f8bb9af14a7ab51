"""`subvino compare`: two models, weights, devices or engines side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.contenders import (
    Contender,
    Loaded,
    load_contender,
    parse_contender,
    run_probe,
)
from subvino.cli.screen import Screen

if TYPE_CHECKING:
    from subvino.evaluate import CompareReport, Manifest, PartTimes, Side
    from subvino.evaluate.run import EvaluateProgress

_RESULTS = "Results"
_WHO = "MODEL, MODEL,weights=fp16, MODEL,device=GPU, faster-whisper:MODEL, openvino-genai:FOLDER; "
_SHOWN = 20
"""Differences that are printed; JSON and the page have them all."""


def compare(  # as long as there are options: Typer reads them off the parameters
    first: Annotated[
        str,
        typer.Argument(metavar="A", help=_WHO + "also ,beam=N and ,batch=N.", show_default=False),
    ],
    second: Annotated[
        str, typer.Argument(metavar="B", help="What is compared with it.", show_default=False)
    ],
    clips: Annotated[
        list[Path] | None,
        typer.Option(
            "--on",
            metavar="MANIFEST",
            help="Clips with references, as `subvino evaluate` takes them (default: clips that "
            "come with subvino, of languages that both know).",
        ),
    ] = None,
    repeats: Annotated[
        int,
        typer.Option(
            "--repeats",
            metavar="N",
            min=1,
            max=50,
            help="Runs of each clip; medians are told (default: 3).",
            show_default=False,
        ),
    ] = 3,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", metavar="N", help="CPU threads (default: as many as there are cores)."
        ),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            help="Write comparison.json, comparison.html and the plots into this folder.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_RESULTS)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress.", rich_help_panel=_RESULTS)
    ] = False,
) -> None:
    """Compare two models, weights, devices or engines: size, memory, speed, accuracy.

    Both run in turn, A B A B, on the same clips, and are told each clip's language; medians are
    told. Encoder and decoder are also timed by themselves.

    [bold]Examples[/bold]

      subvino compare base base-int8-static

      subvino compare base,weights=fp16 base --output-dir report

      subvino compare base faster-whisper:base,beam=5 --on talks/manifest.jsonl
    """
    from subvino.evaluate import check_plots
    from subvino.outputs import check_writable

    screen = Screen(quiet=quiet)
    contenders = (parse_contender(first), parse_contender(second))
    if output_dir is not None:
        check_plots()
        check_writable(output_dir)
    report = _measure(contenders, clips or [], repeats, threads, screen)
    _show(report, as_json=as_json)
    if output_dir is not None:
        _write(report, output_dir, screen)


def _measure(
    contenders: tuple[Contender, Contender],
    clips: list[Path],
    repeats: int,
    threads: int | None,
    screen: Screen,
) -> CompareReport:
    from subvino.cli.progress import show_counts, show_steps
    from subvino.evaluate import CompareReport
    from subvino.evaluate import compare as compare_engines
    from subvino.quantize.speech import checking_sets

    with show_steps(screen) as progress:
        loaded = [load_contender(one, threads, progress) for one in contenders]
    sets = checking_sets(clips, _languages(loaded))
    _check_names(loaded)
    with show_counts(screen) as report:

        def tell(done: int, total: int, what: str) -> None:
            del what
            report.progress("compare", done, total)

        parts = _time_parts(loaded, tell)
        comparison = compare_engines(sets, (loaded[0].engine, loaded[1].engine), repeats, tell)
    sides = [
        _side(one, own, times, threads, sets)
        for one, own, times in zip(contenders, loaded, parts, strict=True)
    ]
    return CompareReport(sides[0], sides[1], comparison, _conditions(repeats, threads, sets))


def _check_names(loaded: list[Loaded]) -> None:
    from subvino.errors import OptionError

    if loaded[0].engine.name == loaded[1].engine.name:
        raise OptionError(f"A and B are the same: {loaded[0].engine.name}; give two")


def _languages(loaded: list[Loaded]) -> frozenset[str]:
    """Codes that every model of ours knows; other engines are not asked."""
    from subvino.tokenizer import LANGUAGES

    known = frozenset(LANGUAGES)
    for one in loaded:
        if one.languages is not None:
            known &= frozenset(one.languages)
    return known


def _time_parts(loaded: list[Loaded], progress: EvaluateProgress) -> list[PartTimes | None]:
    """In turn where both are ours."""
    from subvino.evaluate import PartOptions, time_parts

    engines = [one.parts for one in loaded if one.parts is not None]
    if not engines:
        return [None for _ in loaded]
    most = min(8, *(engine.default_batch_size for engine in engines))
    options = PartOptions(windows=tuple(sorted({1, most})))
    times = iter(time_parts(engines, options, progress))
    return [None if one.parts is None else next(times) for one in loaded]


def _side(
    contender: Contender,
    loaded: Loaded,
    parts: PartTimes | None,
    threads: int | None,
    sets: tuple[Manifest, ...],
) -> Side:
    from subvino.evaluate import Side

    found = run_probe(contender, threads, sets[0].clips[0].audio)
    return Side(
        name=loaded.engine.name,
        disk=loaded.disk,
        memory_loaded=found.loaded,
        memory_peak=found.peak,
        start=found.start,
        parts=parts,
    )


def _conditions(repeats: int, threads: int | None, sets: tuple[Manifest, ...]) -> dict[str, str]:
    from subvino.devices import count_usable_cores
    from subvino.quantize.card import made_with

    clips = ", ".join(f"{one.name} ({len(one.clips)} clips)" for one in sets)
    mine = {
        "clips": clips,
        "runs of each clip": str(repeats),
        "threads": str(threads or count_usable_cores()),
    }
    return mine | made_with()


def _show(report: CompareReport, *, as_json: bool) -> None:
    # Results are printed even with --quiet, which is about progress here.
    screen = Screen()
    tables = (report.table(), report.difference_table(_SHOWN))
    text = report.to_json() if as_json else "\n".join(t.to_markdown() for t in tables)
    for line in text.rstrip("\n").split("\n"):
        screen.result(line)
    if not as_json:
        screen.result("")
        screen.result(report.verdict())


def _write(report: CompareReport, folder: Path, screen: Screen) -> None:
    from subvino.evaluate import draw_plots, draw_ratios
    from subvino.outputs import write_file

    ratios = [
        (figure.name, figure.b_to_a)
        for figure in report.figures()
        if figure.b_to_a is not None and figure.unit != "x real time"
    ]
    plots = {"ratios": draw_ratios(ratios, report.a.name, report.b.name)}
    plots |= draw_plots(report.comparison.report)
    write_file(folder / "comparison.json", report.to_json().encode())
    write_file(folder / "comparison.html", report.to_html(plots).encode())
    for name, png in plots.items():
        write_file(folder / f"{name}.png", png)
    screen.note(f"the report lies in {folder / 'comparison.html'}")
