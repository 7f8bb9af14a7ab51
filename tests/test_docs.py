"""What the documents say is so: their commands, links, examples and the sample."""

from __future__ import annotations

import ast
import doctest
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import subvino
from subvino.transcript import Transcript

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("samples/*.md")])


MODULES = [
    module.name
    for module in pkgutil.walk_packages(subvino.__path__, "subvino.")
    if not module.name.endswith("__main__")
]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_is_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
    commands = set(re.findall(r"(?:^|`)make (?:--[a-z-]+ )*([a-z]+)", read(name), re.M))
    assert commands
    assert commands <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_linked_file_is_there(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_and_the_makefile_install_the_same_for_the_tests() -> None:
    extras = re.search(r"^TEST_EXTRAS := (.+)$", read("Makefile"), re.M)
    assert extras
    assert f'--editable ".[{extras[1]}]"' in read("README.md")


def test_the_readme_lists_every_extra() -> None:
    project = read("pyproject.toml").partition("[project.optional-dependencies]")[2]
    extras = re.findall(r"^([a-z-]+) = \[", project.partition("\n[")[0], re.M)
    assert "watch" in extras
    listed = re.findall(r"^\| `([a-z-]+)` \|", read("README.md"), re.M)
    assert set(extras) - set(listed) == set()


def test_the_python_of_the_readme_is_python() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", read("README.md"), re.M | re.S)
    assert blocks
    for block in blocks:
        ast.parse(block)


def test_the_map_of_rooms_shows_every_module() -> None:
    rooms = {path.name for path in (ROOT / "src/subvino").glob("*.py") if path.stem[:2] != "__"}
    rooms |= {f"{path.parent.name}/" for path in (ROOT / "src/subvino").glob("*/__init__.py")}
    assert rooms - set(re.findall(r"`([a-z_]+(?:\.py|/))`", read("CONTRIBUTING.md"))) == set()


def test_the_example_of_a_transcript_is_one_to_the_letter() -> None:
    example = re.search(r"^```json\n(.*?)^```", read("docs/json.md"), re.M | re.S)
    assert example
    assert Transcript.from_json(example[1]).to_json() == example[1]


def test_the_sample_is_small_and_has_its_words_and_licence_beside_it() -> None:
    assert (ROOT / "samples/rainbow.mp4").stat().st_size < 1_500_000
    assert len(read("samples/rainbow.txt").split()) == 48
    assert "CC BY 4.0" in read("samples/ATTRIBUTION.md")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_give_what_they_say(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
