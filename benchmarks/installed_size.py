"""What an engine takes on the disk: a distribution and all that it requires. PACKAGE..."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def installed_mib(package: str) -> float:
    """MiB of the files of the distribution and of those it requires without extras."""
    return sum(map(_n_bytes, _closure(package))) / 2**20


def _closure(package: str) -> Iterator[Distribution]:
    todo, seen = [package], set[str]()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield found
        wanted = (Requirement(text) for text in found.requires or ())
        todo += [w.name for w in wanted if not w.marker or w.marker.evaluate({"extra": ""})]


def _n_bytes(found: Distribution) -> int:
    files = [Path(str(file.locate())) for file in found.files or ()]
    paths = [*files, *_editable_files(found)]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _editable_files(found: Distribution) -> list[Path]:
    """The sources of a distribution that is installed with --editable (PEP 610)."""
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return []
    source = Path(unquote(urlsplit(origin["url"]).path)) / "src"
    return [path for path in source.rglob("*") if path.suffix != ".pyc"]


if __name__ == "__main__":
    facts = {}
    for name in sys.argv[1:]:
        facts[name] = {"mib": installed_mib(name), "version": distribution(name).version}
    print(json.dumps(facts))
