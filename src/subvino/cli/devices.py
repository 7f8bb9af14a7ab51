"""`subvino devices`: what a model can be run on here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from subvino.cli.screen import Screen, align


def devices(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List what OpenVINO can compute on here: the names that --device takes."""
    from dataclasses import asdict

    from subvino.devices import describe

    rows = describe()
    screen = Screen()
    if as_json:
        for line in json.dumps([asdict(row) for row in rows], indent=2).split("\n"):
            screen.result(line)
        return
    lines = [
        (row.name, row.precision, row.full_name, "AUTO takes this" if row.is_default else "")
        for row in rows
    ]
    for line in align([("NAME", "PRECISION", "DEVICE", ""), *lines]):
        screen.result(line)
