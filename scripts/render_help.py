"""Renders the help of all commands into docs/cli.md; `--check` only says whether it is current.

From the parameters, not from the terminal's picture of them: that depends on the width and on the
version of Typer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer.main

from subvino.cli.app import MAIN_COMMAND, app

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """# The command line

What `subvino --help` and the help of each command say. This page is made by
`python scripts/render_help.py`; change the help in `src/subvino/cli/`.
"""


def render() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    main = root.commands[MAIN_COMMAND]
    parts = [HEAD, _render_command("subvino", main, text=root.help)]
    for name, command in root.commands.items():
        if name != MAIN_COMMAND:
            parts += _render_tree(f"subvino {name}", command)
    return "\n".join(parts)


def _render_tree(name: str, command: Any) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield _render_command(name, command, text=command.help)
    for child, inner in getattr(command, "commands", {}).items():
        yield from _render_tree(f"{name} {child}", inner)


def _render_command(name: str, command: Any, text: str) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *(p.metavar for p in arguments)])
    lines = [f"## {name}", "", f"    {usage}", "", _render_text(text), ""]
    lines += [f"- `{param.metavar}`: {_plain(param.help)}" for param in arguments]
    for panel, params in groupby(options, key=lambda param: param.rich_help_panel):
        lines += ["", f"**{panel or 'Options'}**", "", "| option | does |", "| --- | --- |"]
        lines += [f"| {_render_names(param)} | {_plain(param.help)} |" for param in params]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _render_text(text: str) -> str:
    """The text with its examples as code."""
    text = re.sub(r"\[/?bold\]", "**", text)
    examples = re.sub(r"^ {2,}(subvino .*)$", r"    \1", text, flags=re.M)
    return re.sub(r"(?<=\n)( {4}.*)\n\n(?= {4})", r"\1\n", examples).strip()


def _render_names(param: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    metavar = "" if param.is_flag else f" `{param.metavar}`"
    return (names + metavar).replace("|", "\\|")


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if TARGET.read_text(encoding="utf-8") == render() else 1)
    TARGET.write_text(render(), encoding="utf-8", newline="\n")
