"""The road is one-way: a module imports only from lower floors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "subvino"

FLOORS = (
    {"errors"},
    {"ahead", "audio", "transcript", "subtitles", "network"}
    | {"linebreak", "languages", "timeline", "containers", "matching"},
    {"media", "urls", "vad", "windows", "features", "tokenizer", "alignment", "devices"}
    | {"recognizer", "cues", "checkpoints", "graphs", "formats", "outputs", "inputs", "clip"}
    | {"records", "storage", "memory", "chinese"},
    {"models", "whisper", "check", "speech", "video", "shots", "sync", "folders", "bilingual"},
    {"transcription", "journal", "ledger", "watching", "fix", "text_alignment"},
    {"pipeline", "evaluate"},
    {"server", "cluster", "quantize"},
    {"cli"},
)
"""The rooms of CONTRIBUTING.md from the ground up, errors beneath them all. A room is a module, or
a package whose modules know each other."""
ROOF = len(FLOORS)
"""Where `subvino/__init__.py` and `__main__.py` stand: above everything."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def floor_of(room: str) -> int:
    return next((floor for floor, rooms in enumerate(FLOORS) if room in rooms), ROOF)


def rooms_imported(module: Path) -> Iterator[tuple[str, int]]:
    """Rooms of subvino that a module imports anywhere in it, each with its line."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for package, _, rest in (name.partition(".") for name in names):
            if package == "subvino":
                yield rest.split(".")[0], node.lineno


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_floors(module: Path) -> None:
    room = room_of(module)
    for imported, line in rooms_imported(module):
        if imported in {room, "__version__"}:
            continue
        assert floor_of(imported) < floor_of(room), f"{module}:{line} imports {imported}"


def test_every_module_stands_on_a_floor_and_only_on_one() -> None:
    homes = [room for rooms in FLOORS for room in rooms]
    assert len(homes) == len(set(homes))
    assert {room_of(module) for module in MODULES} - {"__init__", "__main__"} <= set(homes)
