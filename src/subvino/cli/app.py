"""All commands under one name, and what happens to errors that they don't handle."""

from __future__ import annotations

import copy
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from subvino.cli import devices, jobs, models
from subvino.cli.burn import burn
from subvino.cli.check import check
from subvino.cli.compare import compare
from subvino.cli.evaluate import evaluate
from subvino.cli.fix import fix
from subvino.cli.mux import mux
from subvino.cli.quantize import quantize
from subvino.cli.screen import Screen, make_streams_lenient
from subvino.cli.serve import serve
from subvino.cli.sync import sync
from subvino.cli.transcribe import transcribe
from subvino.cli.watch import watch
from subvino.errors import DeviceError, OptionError, SubvinoError

MAIN_COMMAND = "transcribe"
_OWN_OPTIONS = frozenset({"--version", "--help", "-h"})

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


class CommandGroup(TyperGroup):
    """Takes what is no command's name for an input: `subvino talk.mp4` needs no command.

    Contexts are of Typer's or of Click's class, as Typer's version has it: hence Any.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the main command before its options and inputs."""
        if args and args[0] not in self.commands and args[0] not in _OWN_OPTIONS:
            args = [MAIN_COMMAND, *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the main command's options as if they were the group's."""
        whole = copy.copy(self)
        whole.params = [*self.commands[MAIN_COMMAND].params, *self.params]
        super(CommandGroup, whole).format_help(ctx, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the name in the line of usage."""
        del ctx
        return ["[OPTIONS] INPUT...", "|", "COMMAND ..."]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C ends it with a line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            Screen().error(str(stop) or "interrupted; what was not finished was not written")
            raise typer.Exit(EXIT_INTERRUPTED) from None


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    # A traceback is shown by `main`, and only to who asks for it.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(MAIN_COMMAND, hidden=True)(transcribe)
app.command("burn")(burn)
app.command("check")(check)
app.command("compare")(compare)
app.command("devices")(devices.devices)
app.command("evaluate")(evaluate)
app.command("fix")(fix)
app.command("mux")(mux)
app.command("serve")(serve)
app.add_typer(jobs.app, name="jobs")
app.command("sync")(sync)
app.command("quantize")(quantize)
app.add_typer(models.app, name="models")
app.command("watch")(watch)


def _show_version(wanted: bool) -> None:
    if wanted:
        from subvino import __version__

        Screen().result(f"subvino {__version__}")
        raise typer.Exit


@app.callback()
def subvino_command(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Make subtitles for videos, on this machine: talk.mp4 gets talk.en.srt beside it.

    INPUT is a video or audio file, a URL, or a transcript in JSON that subvino wrote. Several may
    be given; one that fails does not stop the others.

    [bold]Examples[/bold]

      subvino talk.mp4

      subvino *.mkv --format srt,vtt --output-dir subtitles --skip-existing

      subvino film.mkv --audio-track ger --task translate --model small

      subvino talk.en.json --profile netflix --max-chars 37

    A file with the name of a command is given as ./devices.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 all went well, 1 something failed, 2 wrong usage.

    arguments: those of the process where None.
    """
    if arguments is None:
        _heed_signals()
    make_streams_lenient()
    words = sys.argv[1:] if arguments is None else list(arguments)
    screen = Screen(verbose=not {"-v", "--verbose"}.isdisjoint(words))
    try:
        # None lets Typer expand wildcards on Windows, where the shell does not.
        app(args=None if arguments is None else words, prog_name="subvino")
    except (OptionError, DeviceError) as error:
        screen.error(str(error))
        sys.exit(EXIT_USAGE)
    except SubvinoError as error:
        screen.error(str(error))
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:  # before a command began; those end themselves
        screen.error("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001  a user gets a line, whatever went wrong
        screen.error(screen.bug(error))
        sys.exit(EXIT_FAILED)


def _heed_signals() -> None:
    """Let whatever asks the process to end do so as Ctrl-C does; what is ignored stays ignored."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
