from __future__ import annotations

import inspect
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subvino.memory import keep_heap_small, peak_memory, trim_heap


def resident() -> int:
    """MiB of memory that this process holds now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="habits of glibc")


def run_alone(steps: Callable[[], None]) -> None:
    """Call it in a process of its own: in an old one what others freed is used again."""
    command = f"from {__name__} import {steps.__name__}; {steps.__name__}()"
    folder = Path(inspect.getfile(steps)).parents[1]
    subprocess.run([sys.executable, "-c", command], check=True, cwd=folder)


def large_blocks() -> None:
    np.ones((30, 2**20), np.uint8)  # freed, and glibc takes such blocks from its heap from here on
    keep_heap_small()
    before = resident()
    blocks = [np.ones((size, 2**20), np.uint8) for size in (6, 5) * 10]
    assert resident() - before > 100
    del blocks[::2]
    assert resident() - before < 60


def small_blocks() -> None:
    trim_heap()
    before = resident()
    blocks = [np.ones(2**16, np.uint8) for _ in range(1600)]
    held = resident() - before
    del blocks[:-1]
    trim_heap()
    assert held > 90
    assert resident() - before < 20


def test_large_blocks_are_given_back_whatever_stands_between_them() -> None:
    run_alone(large_blocks)


def test_small_blocks_are_given_back_when_asked_for() -> None:
    run_alone(small_blocks)


def test_the_most_memory_is_at_least_what_is_held() -> None:
    held = resident()
    assert (peak_memory() or 0) >> 20 >= held
