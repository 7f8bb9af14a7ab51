"""What the package promises to those who install it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import pytest

import subvino

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FORBIDDEN = {
    "torch",
    "transformers",
    "onnxruntime",
    "pickle",
    "dill",
    "joblib",
    "shelve",
    "marshal",
}
"""Too heavy for a default environment, or able to run code hidden in a file."""


def imports_of(source: str) -> set[str]:
    """Top-level packages imported anywhere in a module, also inside its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def test_the_package_is_marked_as_typed() -> None:
    assert files("subvino").joinpath("py.typed").is_file()


def test_the_version_is_the_installed_one() -> None:
    assert subvino.__version__ == distribution("subvino").version


def test_the_console_script_is_there_and_can_be_called() -> None:
    scripts = distribution("subvino").entry_points.select(group="console_scripts")
    assert callable(scripts["subvino"].load())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_module_imports_what_is_forbidden(source: Path) -> None:
    assert not imports_of(source.read_text(encoding="utf-8")) & FORBIDDEN


def test_forbidden_imports_are_seen_inside_functions() -> None:
    hidden = "def load():\n    import torch.nn\n    from pickle import load\n"
    assert imports_of(hidden) == {"torch", "pickle"}


def test_every_third_party_import_is_a_declared_dependency() -> None:
    declared = {
        re.split(r"[^\w-]", requirement)[0].lower().replace("-", "_")
        for requirement in distribution("subvino").requires or ()
    }
    third_party = set().union(*(imports_of(path.read_text(encoding="utf-8")) for path in SOURCES))
    third_party -= {*sys.stdlib_module_names, "subvino"}
    assert third_party <= declared
