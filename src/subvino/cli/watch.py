"""`subvino watch FOLDER...`: subtitles for what comes into folders, for as long as it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from subvino.cli.options import given
from subvino.cli.screen import Screen
from subvino.cli.transcribe import read_plan, transcribe

_WATCH = "Watching"

_FOLDERS = Annotated[
    list[Path],
    typer.Argument(metavar="FOLDER...", help="Folders to watch.", show_default=False),
]
_SETTLE = Annotated[
    float | None,
    typer.Option(
        "--settle",
        metavar="SECONDS",
        min=0.0,
        help="Take a file when nothing has changed about it for so long: it may still be being "
        "written (default: 10).",
        rich_help_panel=_WATCH,
    ),
]
_RESCAN = Annotated[
    float | None,
    typer.Option(
        "--rescan",
        metavar="SECONDS",
        min=0.1,
        help="Look again so often, too: nothing tells of what another machine writes to a network "
        "share (default: 300).",
        rich_help_panel=_WATCH,
    ),
]


def _with_options_of_transcribe(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer reads it: with all the options of the main one."""
    theirs = list(inspect.signature(transcribe, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("folders", keyword, annotation=_FOLDERS),
        inspect.Parameter("settle", keyword, annotation=_SETTLE, default=None),
        inspect.Parameter("rescan", keyword, annotation=_RESCAN, default=None),
    ]
    parameters = [*own, *(parameter.replace(kind=keyword) for parameter in theirs)]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


@_with_options_of_transcribe
def watch(folders: Sequence[Path], settle: float | None, rescan: float | None, **rest: Any) -> None:
    """Make subtitles for the media in folders, and for what comes into them, until stopped.

    What is there already is done first. A file that changes is done again; after a restart what is
    done stays done. Files that are still being written are waited for.
    """
    from subvino.cli.batch import Batch
    from subvino.cli.claims import Claims
    from subvino.cli.subtitling import loading
    from subvino.watching import FolderWatch, WatchOptions

    plan = read_plan(SimpleNamespace(**rest))
    screen = Screen(rest["quiet"], rest["verbose"])
    options = WatchOptions(**given(settle=settle, rescan=rescan))
    try:
        screen.note(f"watching {', '.join(map(str, folders))}; Ctrl-C ends it")
        with loading(plan, screen) as load:
            loaded, claims = _Loaded(load), Claims()
            watched = FolderWatch(folders, plan.folders, options)
            for found in watched:
                batch = Batch(plan, screen, loaded, claims)
                batch.run_found(found)
                for folder in batch.busy:
                    watched.give_again(folder, found[folder])
    except KeyboardInterrupt:
        screen.note("stopped; the same command goes on where this one stopped")


class _Loaded:
    """Loads a model once."""

    def __init__(self, load: Callable[..., Any]) -> None:
        self._load = load
        self._transcriber: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self._transcriber is None:
            self._transcriber = self._load(*arguments)
        return self._transcriber
