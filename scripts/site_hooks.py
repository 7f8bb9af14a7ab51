"""What the docs site needs beyond Markdown files: the tutorial's notebook as a page.

MkDocs calls `on_files` (mkdocs.yml, `hooks`). The page shows the outputs that are kept in the
notebook, so that building the site runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"
IMAGES = ("image/png", "image/svg+xml")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The site's files with `tutorial.md` beside the notebook."""
    page = File.generated(config, "tutorial.md", content=render(json.loads(NOTEBOOK.read_text())))
    files.append(page)
    return files


def render(notebook: dict[str, Any]) -> str:
    """A notebook as Markdown."""
    parts = [part for cell in notebook["cells"] for part in _render_cell(cell)]
    return "\n\n".join(parts) + "\n\n[This page as a notebook](tutorial.ipynb)\n"


def _render_cell(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        yield source
        return
    yield _fence(source, "python")
    for output in cell["outputs"]:
        yield from _render_output(output)


def _render_output(output: dict[str, Any]) -> Iterable[str]:
    if "text" in output:
        return [_fence("".join(output["text"]), "text")]
    data = output.get("data", {})
    if "text/html" in data:
        return ["".join(data["text/html"])]
    images = [f"![](data:{kind};base64,{data[kind].strip()})" for kind in IMAGES if kind in data]
    return images or [_fence("".join(data.get("text/plain", "")), "text")]


def _fence(text: str, language: str) -> str:
    return f"````{language}\n{text.rstrip()}\n````"
