from __future__ import annotations

import json

from tests.cli.conftest import Run


def test_the_cpu_is_listed_and_one_device_is_marked(run: Run) -> None:
    call = run("devices")
    assert call.code == 0
    assert any(line.startswith("CPU ") for line in call.out)
    assert sum("AUTO takes this" in line for line in call.out) == 1


def test_a_program_gets_json(run: Run) -> None:
    rows = json.loads("\n".join(run("devices", "--json").out))
    assert "CPU" in [row["name"] for row in rows]
    assert [row["is_default"] for row in rows].count(True) == 1
