"""`subvino quantize`: a smaller, faster form of a model that has to prove itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.options import check_choice, given, split_numbers
from subvino.cli.screen import Screen, format_size

if TYPE_CHECKING:
    from subvino.quantize import Outcome, StaticOptions

_RECIPE, _DATA, _GATE = "Recipe", "Data", "Accuracy gate"


def quantize(  # as long as there are options: Typer reads them off the parameters
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A name, org/name on the hub, or the folder of a checkpoint.",
            show_default=False,
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="int8-static|int4",
            help="int8-static: activations in 8 bits too. int4: weights alone, for large models.",
            rich_help_panel=_RECIPE,
        ),
    ] = "int8-static",
    parts: Annotated[
        str | None,
        typer.Option(
            "--parts",
            metavar="encoder,decoder",
            help="Which to quantize (default: those that come out faster on this machine).",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    encoder_alpha: Annotated[
        str | None,
        typer.Option(
            "--encoder-alpha",
            metavar="A,...",
            help="SmoothQuant's alpha for the encoder, 0 to 1; of several the best is taken "
            "(default: 0.75).",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    decoder_alpha: Annotated[
        str | None,
        typer.Option(
            "--decoder-alpha",
            metavar="A,...",
            help="The same for the decoder (default: 0.96).",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Try alphas of 0.5, 0.65, 0.8 and 0.95 for both.",
            rich_help_panel=_RECIPE,
        ),
    ] = False,
    leave_out: Annotated[
        float | None,
        typer.Option(
            "--leave-out-above",
            metavar="X",
            help="Leave an activation as it is where 8 bits there add more than X times the "
            "error of 8-bit weights (default: 0.15).",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    group_size: Annotated[
        int | None,
        typer.Option(
            "--group-size",
            metavar="N",
            help="Of int4: weights that share a scale (default: 64).",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="SPEECH",
            help="To calibrate with: a folder of recordings, a manifest, or org/name[:path] of a "
            "data set on the hub (default: clips that come with subvino).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    windows: Annotated[
        int | None,
        typer.Option(
            "--windows",
            metavar="N",
            help="Windows to calibrate with, at most (default: 64).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="N",
            help="Decoding steps of each window, at most (default: 6).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    check_on: Annotated[
        list[Path] | None,
        typer.Option(
            "--check-on",
            metavar="MANIFEST",
            help="Clips with references, as `subvino evaluate` takes them (default: clips that "
            "come with subvino).",
            rich_help_panel=_GATE,
        ),
    ] = None,
    max_wer_increase: Annotated[
        float | None,
        typer.Option(
            "--max-wer-increase",
            metavar="POINTS",
            help="Of the word error rate, in points of per cent (default: 0.5).",
            rich_help_panel=_GATE,
        ),
    ] = None,
    max_word_shift: Annotated[
        float | None,
        typer.Option(
            "--max-word-shift",
            metavar="SECONDS",
            help="Of the onsets of words, the median (default: 0.05).",
            rich_help_panel=_GATE,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", metavar="N", help="CPU threads (default: as many as there are cores)."
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but the result and errors.")
    ] = False,
) -> None:
    """Quantize a model, measure what it loses, and keep it only if that is little enough.

    The result is used like any other model: subvino talk.mp4 --model base-int8-static

    Where the accuracy gate refuses both parts, the encoder alone is tried; then nothing is kept,
    as a model's weights are in 8 bits anyway.

    [bold]Examples[/bold]

      subvino quantize base

      subvino quantize base --tune --data recordings/ --check-on talks/manifest.jsonl

      subvino quantize large-v3 --kind int4
    """
    from subvino.cli.progress import show_counts
    from subvino.quantize import Data, Gate, Limits, QuantizedKind, QuantizeOptions, quantize_model

    screen = Screen(quiet=quiet)
    options = QuantizeOptions(
        kind=check_choice("--kind", kind, QuantizedKind),
        gate=Gate(**given(max_wer_increase=max_wer_increase, max_word_shift=max_word_shift)),
        limits=Limits(**given(windows=windows, steps=steps)),
        **given(parts=_parts(parts), group_size=group_size, threads=threads),
    )
    options = replace(
        options,
        encoder=_static(options.encoder, encoder_alpha, leave_out, tune=tune),
        decoder=_static(options.decoder, decoder_alpha, leave_out, tune=tune),
    )
    with show_counts(screen) as report:
        outcome = quantize_model(model, options, Data(data, tuple(check_on or ())), report)
    _tell(outcome, screen)


def _parts(text: str | None) -> tuple[str, ...] | None:
    from subvino.quantize import PARTS, Part

    if text is None:
        return None
    wanted = {check_choice("--parts", word.strip(), Part) for word in text.split(",")}
    return tuple(part for part in PARTS if part in wanted)


def _static(
    default: StaticOptions, alphas: str | None, leave_out: float | None, *, tune: bool
) -> StaticOptions:
    from subvino.quantize import TUNED_ALPHAS

    chosen = TUNED_ALPHAS if tune else default.alphas
    if alphas is not None:
        chosen = split_numbers("alpha", alphas)
    return replace(default, alphas=chosen, **given(left_out_above=leave_out))


def _tell(outcome: Outcome, screen: Screen) -> None:
    """What came of it; the path of the model to use goes to stdout, even with --quiet."""
    card = outcome.card
    if card.peak_memory is not None:
        screen.note(f"peak memory: {format_size(card.peak_memory)}")
    if outcome.kept:
        screen.note(f"{card.name}: {_in_words(outcome)}; use it as --model {card.name}")
    else:
        screen.note(
            f"nothing kept: with 8-bit weights alone, as it is, {card.made_from} is the better "
            f"model here; use it as --model {card.made_from}"
        )
    Screen().result(str(outcome.folder.path))


def _in_words(outcome: Outcome) -> str:
    if outcome.card.kind == "int4":
        return "weights in 4 bits"
    left = [part for part in ("encoder", "decoder") if part not in outcome.kept]
    others = f", {left[0]} with 8-bit weights alone" if left else ""
    return f"{' and '.join(outcome.kept)} static INT8{others}"
