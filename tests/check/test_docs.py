import re
from pathlib import Path

from subvino.check import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "check.md"


def test_the_document_has_every_rule() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])]
    assert named == list(RULES)
