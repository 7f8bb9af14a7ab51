"""The tutorial's notebook runs from its first cell to its last, and shows what it promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "docs"


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)  # quantizing takes half a minute of an idle machine
@pytest.mark.filterwarnings("default")  # a kernel's own machinery
@pytest.mark.usefixtures("real_models")
def test_the_tutorial_runs_and_every_cell_shows_something() -> None:
    text = (FOLDER / "tutorial.ipynb").read_text(encoding="utf-8")
    notebook: Any = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    place = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=200, kernel_name="python3", resources=place).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells if not cell.outputs] == []
    shown = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert re.search(r"^1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\nThese take", shown, re.M)
    assert "the end of the rainbow" in " ".join(shown.split())
    assert "tiny.en-int8-static: encoder static INT8" in shown
    assert "word error rate" in shown.partition("Side by side")[2]
