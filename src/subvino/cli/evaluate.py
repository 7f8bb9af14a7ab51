"""`subvino evaluate`: how good transcripts are, measured on clips with references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.options import WEIGHTS_METAVAR, check_choice, given, split_list
from subvino.cli.screen import Screen

if TYPE_CHECKING:
    from subvino.evaluate import Engine, Manifest, Report
    from subvino.evaluate.peers import PeerOptions
    from subvino.network import WeightsKind
    from subvino.pipeline import EngineOptions
    from subvino.recognizer import DecodingOptions

_MODEL, _PEER, _FILES = "Model and device", "Other engines", "Results"


def evaluate(  # as long as there are options: Typer reads them off the parameters
    manifests: Annotated[
        list[Path],
        typer.Argument(
            metavar="MANIFEST...",
            help="Files of JSON lines, a clip a line, or folders with a manifest.jsonl.",
            show_default=False,
        ),
    ],
    tell_language: Annotated[
        bool,
        typer.Option(
            "--tell-language", help="Tell the engines each clip's language; don't detect it."
        ),
    ] = False,
    strip_accents: Annotated[
        list[str] | None,
        typer.Option(
            "--strip-accents",
            metavar="SET,...",
            help="Sets whose references have no accents: they don't count there.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A name, org/name on the hub, or a folder; several are compared (default: base).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="DEVICE",
            help="AUTO, CPU, GPU, NPU (default: AUTO).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar=WEIGHTS_METAVAR,
            help="How the model is stored (default: int8).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            help="CPU threads of every engine (default: as many as there are cores).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    beam_size: Annotated[
        int | None,
        typer.Option(
            "--beam-size",
            metavar="N",
            help="Hypotheses kept; 1 is the fastest (default: 5).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="ENGINE",
            help="Run faster-whisper or openvino-genai on the same files in turn with ours, on "
            "the first model's weights; needs the extra `peers`.",
            rich_help_panel=_PEER,
        ),
    ] = None,
    peer_model: Annotated[
        str | None,
        typer.Option(
            "--peer-model",
            metavar="FOLDER",
            help="The other engine's form of the weights, where it can't be made here.",
            rich_help_panel=_PEER,
        ),
    ] = None,
    peer_beam: Annotated[
        int | None,
        typer.Option(
            "--peer-beam",
            metavar="N",
            help="Beam size of faster-whisper (default: 5, as its own).",
            rich_help_panel=_PEER,
        ),
    ] = None,
    peer_batch: Annotated[
        int | None,
        typer.Option(
            "--peer-batch",
            metavar="N",
            help="Run faster-whisper's batched mode (default: its sequential one).",
            rich_help_panel=_PEER,
        ),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            help="Write evaluation.json, evaluation.html and the plots into this folder.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_FILES),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Show no progress.", rich_help_panel=_FILES),
    ] = False,
) -> None:
    """Measure accuracy on clips with references: words, word times, invented words, speed.

    A line of a manifest: {"audio": "a.flac", "text": "Good morning.", "lang": "en"}
    """
    from subvino.evaluate import EvaluateOptions, check_plots
    from subvino.evaluate import evaluate as run
    from subvino.evaluate.peers import PeerOptions
    from subvino.outputs import check_writable
    from subvino.pipeline import DEFAULT_MODEL, EngineOptions, decoding_options

    if output_dir is not None:
        check_plots()
        check_writable(output_dir)
    screen = Screen(quiet=quiet)
    sets = _read_sets(manifests, split_list(strip_accents) or ())
    names = tuple(dict.fromkeys(models or [DEFAULT_MODEL]))
    engine = EngineOptions(**given(device=device, weights=_weights(weights), threads=threads))
    decoding = decoding_options(**given(beam_size=beam_size))
    peer = PeerOptions(threads, batch_size=peer_batch, **given(beam_size=peer_beam))
    engines = [
        *_own_engines(names, engine, decoding, screen),
        *_peer_engines(against or (), peer_model or names[0], peer),
    ]
    progress = _Progress(screen).report
    report = run(sets, engines, EvaluateOptions(tell_language), progress)
    _show(report, as_json)
    if output_dir is not None:
        _write(report, output_dir, screen)


def _weights(name: str | None) -> WeightsKind | None:
    from subvino.network import WeightsKind

    return None if name is None else check_choice("weights", name, WeightsKind)


def _read_sets(paths: Sequence[Path], without_accents: Sequence[str]) -> list[Manifest]:
    from subvino.errors import OptionError
    from subvino.evaluate import name_manifest, read_manifest

    names = {name_manifest(path).lower() for path in paths}
    for name in without_accents:
        if name not in names:
            raise OptionError(f"--strip-accents {name!r} is none of: {', '.join(sorted(names))}")
    return [
        read_manifest(path, strip_accents=name_manifest(path).lower() in without_accents)
        for path in paths
    ]


def _own_engines(
    models: Sequence[str], engine: EngineOptions, decoding: DecodingOptions, screen: Screen
) -> Iterator[Engine]:
    from subvino.cli.progress import show_steps
    from subvino.evaluate import SubvinoEngine
    from subvino.pipeline import load_transcriber

    for model in models:
        with show_steps(screen) as progress:
            transcriber = load_transcriber(model, engine, progress)
        yield SubvinoEngine(f"subvino {model}", transcriber, decoding)


def _peer_engines(peers: Sequence[str], model: str, options: PeerOptions) -> Iterator[Engine]:
    from subvino.evaluate.peers import PeerName, load_peer

    for peer in dict.fromkeys(peers):
        yield load_peer(check_choice("--against", peer, PeerName), model, options)


class _Progress:
    """Runs done, one line each on a terminal, elsewhere a line every tenth."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._tenth = -1

    def report(self, done: int, total: int, name: str) -> None:
        tenth = 10 * done // total
        if self._screen.has_bars or tenth > self._tenth:
            self._screen.note(f"{done}/{total} {name}")
        self._tenth = tenth


def _show(report: Report, as_json: bool) -> None:
    # Results are printed even with --quiet, which is about progress here.
    screen = Screen()
    text = report.to_json() if as_json else "\n".join(t.to_markdown() for t in report.tables())
    for line in text.rstrip("\n").split("\n"):
        screen.result(line)


def _write(report: Report, folder: Path, screen: Screen) -> None:
    from subvino.evaluate import draw_plots, render_page
    from subvino.outputs import write_file

    plots = draw_plots(report)
    page = render_page(report, plots, "Evaluation")
    write_file(folder / "evaluation.json", report.to_json().encode())
    write_file(folder / "evaluation.html", page.encode())
    for name, png in plots.items():
        write_file(folder / f"{name}.png", png)
    screen.note(f"the report lies in {folder / 'evaluation.html'}")
