"""Calls of the command in this process, in a folder and with a cache of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from subvino.cli import app, main
from subvino.transcript import Segment, Transcript

Run = Callable[..., "Call"]

SAID = ("A rainbow is a division of white light.", "It takes the shape of a long round arch.")


@dataclass(frozen=True)
class Call:
    """How a call ended; `out` and `err` as lines."""

    code: int
    out: list[str]
    err: list[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@cache
def built_command() -> Any:
    """What Typer makes of the app at every call: it takes longer than most commands do."""
    return typer.main.get_command(app.app)


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(app, "app", built_command())

    def call(*arguments: str | Path) -> Call:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Call(end.value.code, captured.out.splitlines(), captured.err.splitlines())

    return call


@pytest.fixture
def saved(folder: Path) -> Path:
    """A transcript that was saved: talk.en.json, in the working directory."""
    segments = (Segment(SAID[0], 0.5, 3.5), Segment(SAID[1], 4.0, 7.0))
    path = Path("talk.en.json")
    path.write_text(Transcript(segments, "en", 0.98, 8.0, "talk.mp4").to_json(), encoding="utf-8")
    return path
