"""`subvino models`: what there is, and care of the cache."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subvino.cli.options import WEIGHTS_METAVAR, check_choice
from subvino.cli.screen import Screen, align, format_size

if TYPE_CHECKING:
    from subvino.models import ModelInfo, ModelState
    from subvino.network import WeightsKind

app = typer.Typer(no_args_is_help=True, help="List, get, convert and remove models.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar=WEIGHTS_METAVAR,
        help="How the model is stored: int8 is half the size of fp16, and faster (default: int8).",
    ),
]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the models known by name, and those in the cache."""
    from subvino.models import list_models

    states = list_models()
    if as_json:
        _print_json([_to_row(state) for state in states])
        return
    rows = [
        (state.name, _describe_state(state), _describe_size(state), _describe_languages(state))
        for state in states
    ]
    _print_table([("NAME", "STATE", "SIZE", "LANGUAGES"), *rows])


@app.command("info")
def info_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `subvino models list` has it.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all files and compare their digests.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show all there is to know about a model."""
    from subvino.models import model_info

    info = model_info(name, verify=verify)
    if as_json:
        damaged = None if info.damaged is None else [str(path) for path in info.damaged]
        _print_json(_to_row(info.state) | {"damaged": damaged})
    else:
        _print_table(_info_rows(info))
    if info.damaged:
        Screen().error(f"{name} is damaged; remove it and get it again")
        raise typer.Exit(1)


@app.command("get")
def get_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name, org/name on the hub, or a folder.")
    ],
    weights: Weights = None,
    quiet: Quiet = False,
) -> None:
    """Get a model and convert it, so that it is ready when it is needed."""
    from subvino.cli.progress import show_steps
    from subvino.models import prepare_model

    screen = Screen(quiet=quiet)
    with show_steps(screen) as progress:
        model = prepare_model(name, _weights(weights), progress)
    screen.result(str(model.path))


@app.command("convert")
def convert_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="That holds a checkpoint.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="To be known by (default: the folder's)."),
    ] = None,
    weights: Weights = None,
    quiet: Quiet = False,
) -> None:
    """Convert a checkpoint of one's own and keep it under a name."""
    from subvino.cli.progress import show_steps
    from subvino.models import convert_model

    screen = Screen(quiet=quiet)
    with show_steps(screen) as progress:
        model = convert_model(folder, name or folder.absolute().name, _weights(weights), progress)
    screen.note(f"use it as --model {model.name}")
    screen.result(str(model.path))


@app.command("remove")
def remove_command(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="What to remove.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Remove models from the cache; what the hub's cache and packages hold stays."""
    from subvino.models import model_info, remove_model

    screen = Screen()
    for name in names:
        found = model_info(name).state.converted
        entries = ", ".join(model.entry for model in found)
        if found and not yes and not typer.confirm(f"Remove {entries}?", err=True):
            screen.note(f"{name}: kept")
            continue
        screen.result(f"{name}: {format_size(remove_model(name))} freed")


def _weights(given: str | None) -> WeightsKind:
    from subvino.models import DEFAULT_WEIGHTS
    from subvino.network import WeightsKind

    return DEFAULT_WEIGHTS if given is None else check_choice("weights", given, WeightsKind)


def _describe_state(state: ModelState) -> str:
    if state.converted:
        return f"ready ({', '.join(model.weights for model in state.converted)})"
    if state.installed:
        return "installed package"
    extra = state.model.extra if state.model else None
    return f"on the hub, or subvino[{extra}]" if extra else "on the hub"


def _describe_size(state: ModelState) -> str:
    if state.converted:
        return ", ".join(format_size(model.size) for model in state.converted)
    return format_size(state.model.size) if state.model else "-"


def _describe_languages(state: ModelState) -> str:
    if state.model is None:
        return "-"
    return "about 100" if state.model.multilingual else "English"


def _info_rows(info: ModelInfo) -> list[tuple[str, str]]:
    state = info.state
    rows = [("name", state.name), ("state", _describe_state(state))]
    if state.model is not None:
        rows += [
            ("hub", f"{state.model.hub_id}@{state.model.revision}"),
            ("download", format_size(state.model.size)),
            ("languages", _describe_languages(state)),
        ]
    for model in state.converted:
        rows.append((model.weights, f"{model.path}, {format_size(model.size)}"))
        rows.append(("", f"made from {model.source}"))
    if info.damaged is not None:
        rows.append(("damaged", ", ".join(map(str, info.damaged)) or "nothing"))
    return rows


def _to_row(state: ModelState) -> dict[str, Any]:
    """The state as JSON has it; sizes in bytes."""
    return {
        "name": state.name,
        "hub_id": state.model.hub_id if state.model else None,
        "size": state.model.size if state.model else None,
        "multilingual": state.model.multilingual if state.model else None,
        "installed": state.installed,
        "converted": [
            {
                "entry": model.entry,
                "weights": model.weights,
                "size": model.size,
                "path": str(model.path),
                "source": model.source,
            }
            for model in state.converted
        ],
    }


def _print_json(value: object) -> None:
    for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"):
        Screen().result(line)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    for line in align(rows):
        Screen().result(line)
