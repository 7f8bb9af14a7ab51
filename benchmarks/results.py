"""What every benchmark writes: its section of RESULTS.md, with the machine and the versions."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from subvino.outputs import write_file

RESULTS = Path(__file__).with_name("RESULTS.md")
IMAGES = Path(__file__).parents[1] / "docs" / "images"


def put_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace what stands between the section's marks in a file, or add it at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text(encoding="utf-8") if path.is_file() else "# Results\n"
    before, _, rest = old.partition(begin)
    after = rest.partition(end)[2] if rest else "\n"
    section = f"{begin}\n{text.strip()}\n{end}"
    write_file(path, f"{before.rstrip()}\n\n{section}{after.rstrip()}\n".encode())


def describe_run(command: str, packages: Sequence[str], *notes: str) -> str:
    """What figures hold for: the command, the day, versions, the machine."""
    versions = ", ".join(f"{name} {found}" for name in packages if (found := find_version(name)))
    facts = (versions, f"Python {platform.python_version()}", cpu_name(), *notes)
    return f"`{command}`  \n{time.strftime('%Y-%m-%d')}; {'; '.join(facts)}\n"


def find_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
