from __future__ import annotations

import os
import subprocess
import sys

import pytest

from subvino.errors import MissingExtraError
from subvino.quantize import nncf_backend

LOAD = """
import sys
from unittest.mock import MagicMock
from subvino.quantize.nncf_backend import load_nncf
load_nncf()
from nncf.telemetry import wrapper
print(isinstance(wrapper.telemetry, MagicMock))
"""


def test_nncf_reports_its_use_to_nobody() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.stdout.splitlines() == ["True"], done.stderr


def test_without_nncf_the_pip_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingExtraError, match=r'pip install "subvino\[quantize\]"'):
        nncf_backend.load_nncf()
