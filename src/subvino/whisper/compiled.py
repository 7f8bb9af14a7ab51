"""Graphs compiled for a device, kept for the next start and taken only if they are sound.

Floor 2 of the road. A compiled graph is found by what it was made from, without making the graph
anew: reading and preparing the graphs of whisper-base takes longer than loading them compiled. Its
file ends with a checksum, as OpenVINO does not see when bytes of weights have changed: the text
would be another.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import openvino as ov
from typing_extensions import Buffer

from subvino.errors import CheckpointError, OutputError
from subvino.outputs import write_file

Properties = Mapping[str, str | int | bool]

_CHECKSUM_BYTES = 4
_UNUSED_DAYS = 30
"""Compiled graphs that nobody has loaded for so long are deleted."""

MAKING = threading.RLock()
"""To be held while graphs are built or looked into. Two threads that are the first of a process to
read a constant's data wait for each other for ever (OpenVINO 2026.4.1: one has what the other
needs, the interpreter, and the other the right to set up what both need). Compiling and loading go
on side by side."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a graph is made.

    name: tells it from the other graphs of its model.
    make: reads or builds it; not called where it is there compiled.
    how: in words, what it depends on besides the model's files and subvino's code.
    """

    name: str
    make: Callable[[], ov.Model]
    how: str = ""


def new_core() -> ov.Core:
    """OpenVINO, with files read into memory.

    A mapped file that is cut while it is in use ends the process (SIGBUS), and one that is changed
    changes the text. whisper-base takes as much memory either way (625 MB).
    """
    core = ov.Core()
    core.set_property({"ENABLE_MMAP": False})
    return core


def read_graph(core: ov.Core, path: Path) -> ov.Model:
    """A graph of a converted model. Raises CheckpointError where its files are gone or damaged."""
    try:
        return core.read_model(path)
    except RuntimeError as error:
        message = f"{path}: is gone or damaged; run again, and the model is made anew"
        raise CheckpointError(message, path) from error


def compile_graph(
    core: ov.Core, recipe: Recipe, device: str, properties: Properties
) -> ov.CompiledModel:
    """The graph on the device.

    With the property CACHE_DIR it is kept in that folder, which belongs to one model and one
    version of the code, and taken from there the next time.
    """
    plain = {key: value for key, value in properties.items() if key != "CACHE_DIR"}
    if "CACHE_DIR" not in properties:
        return _make(core, recipe, device, plain)
    key = _key(core, recipe, device, plain)
    path = Path(str(properties["CACHE_DIR"])) / f"{recipe.name}-{key}.blob"
    kept = _load(path)
    if kept is not None:
        with suppress(RuntimeError):  # of another build of OpenVINO, which its number doesn't tell
            return core.import_model(kept, device, plain)
    compiled = _make(core, recipe, device, plain)
    _keep(path, compiled)
    return compiled


def _make(core: ov.Core, recipe: Recipe, device: str, properties: Properties) -> ov.CompiledModel:
    with MAKING:
        graph = recipe.make()
    return core.compile_model(graph, device, properties)


def _key(core: ov.Core, recipe: Recipe, device: str, properties: Properties) -> str:
    """Changes with all that the compiled graph depends on, but for the model and our code."""
    hardware = [
        str(core.get_property(device, name))
        for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
    ]
    made_from = (recipe.how, device, sorted(properties.items()), hardware, ov.get_version())
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]


def _load(path: Path) -> bytes | None:
    """A compiled graph; None where there is none, or a damaged one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    end = len(content) - _CHECKSUM_BYTES
    if end <= 0 or _checksum(memoryview(content)[:end]) != content[end:]:
        return None
    with suppress(OSError):  # in a folder that is not ours to write to
        os.utime(path)
    return content  # OpenVINO leaves the checksum alone; without it this would be a copy


def _keep(path: Path, compiled: ov.CompiledModel) -> None:
    """Write it where there is room; the work does not depend on it."""
    try:
        blob = compiled.export_model().getvalue()
    except RuntimeError:  # a device that can't
        return
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, blob + _checksum(blob))
        _forget_unused(path.parent.parent)


def _checksum(content: Buffer) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "big")


def _forget_unused(folder: Path) -> None:
    """Delete what was compiled for models, options and versions that are no longer used."""
    oldest = time.time() - _UNUSED_DAYS * 24 * 3600
    for path in folder.rglob("*.blob"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
