"""The docs site builds without a warning, and fetches nothing from anybody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import subvino

ROOT = Path(__file__).parents[1]


class Resources(HTMLParser):
    """What a page loads by itself: not what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in ("canonical", "next", "prev"):
            return
        name = "href" if tag == "link" else "src"
        if tag in ("link", "script", "img", "iframe", "video", "source") and values.get(name):
            self.urls.append(str(values[name]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_document_becomes_a_page(site: Path) -> None:
    documents = (ROOT / "docs").rglob("*.md")
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in documents]
    assert [page for page in [*pages, Path("tutorial.html")] if not (site / page).is_file()] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    urls = {url for page in pages for url in Resources(page).urls}
    assert len(urls) > 5
    assert [url for url in urls if re.match(r"(?!data:)[a-z]+:|//", url)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(\s*[\"']?https?:|@import", styles) == []


def test_every_public_name_stands_in_the_reference(site: Path) -> None:
    text = (site / "reference/api.html").read_text(encoding="utf-8")
    anchors = {anchor.rpartition(".")[2] for anchor in re.findall(r'id="(subvino\.[\w.]+)"', text)}
    assert set(subvino.__all__) - {"__version__", "MODELS"} - anchors == set()
