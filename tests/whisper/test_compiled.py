"""Compiled graphs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import openvino as ov
from openvino import opset13 as op

from subvino.whisper.compiled import Recipe, compile_graph, new_core


def test_graphs_are_made_one_at_a_time() -> None:
    is_made = Lock()

    def make() -> ov.Model:
        assert is_made.acquire(blocking=False), "another thread makes one"
        time.sleep(0.05)
        value = op.parameter([1], np.float32)
        is_made.release()
        return ov.Model([op.abs(value)], [value], "graph")

    core = new_core()
    with ThreadPoolExecutor(4) as several:
        names = [f"graph{i}" for i in range(4)]
        found = several.map(lambda name: compile_graph(core, Recipe(name, make), "CPU", {}), names)
        assert [len(compiled.outputs) for compiled in found] == [1] * 4
