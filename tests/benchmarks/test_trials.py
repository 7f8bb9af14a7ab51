from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from trials import run_once


def test_an_engine_that_crashes_is_said_to_have_whatever_it_said_last() -> None:
    code = "import os, sys; print('a warning', file=sys.stderr, flush=True); os.abort()"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_once((sys.executable, "-c", code), Path("no media"), 1)
    assert caught.value.stderr.splitlines()[-1] == "ended by SIGABRT"
