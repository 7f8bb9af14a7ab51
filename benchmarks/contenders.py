"""The engines of the speed benchmark: how each is run, and its form of the same weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from converters.ggml import write_ggml
from converters.huggingface import write_huggingface

from subvino.checkpoints import open_checkpoint
from subvino.evaluate.peers import ctranslate2_folder
from subvino.models import cache_folder, prepare_model
from subvino.network import Checkpoint

HERE = Path(__file__).parent
OURS = ("subvino", "subvino greedy")


@dataclass(frozen=True, slots=True)
class Setup:
    """What all engines have in common.

    language: told to all; None where the model knows one only.
    optimum: the Python of an environment with Optimum-Intel; None without one.
    """

    model: str
    threads: int
    language: str | None
    optimum: Path | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """An engine, ready to run.

    command: as `trials.Command`.
    package: the distribution that a user installs, in `python`'s environment.
    weights: the files that it reads.
    """

    name: str
    command: tuple[str, ...]
    package: str
    python: Path
    weights: Path


def load_contenders(names: Sequence[str], setup: Setup) -> list[Contender]:
    """Those asked for that can run here; a line on stderr for each that can't."""
    found = [_load(name, setup) for name in names]
    return [contender for contender in found if contender is not None]


def _load(name: str, setup: Setup) -> Contender | None:
    try:
        return MAKERS[name](setup)
    except (ImportError, OSError, subprocess.CalledProcessError) as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None


def own_command(setup: Setup, *options: str) -> tuple[str, ...]:
    common = ("--model", setup.model, "--threads", str(setup.threads), "--quiet")
    language = ("--language", setup.language) if setup.language else ()
    # A run that was stopped must not help the next one.
    place = ("--output-dir", "FOLDER", "--overwrite", "--no-resume")
    return (sys.executable, "-m", "subvino", "MEDIA", *common, *language, *place, *options)


def _ours(name: str, *options: str) -> Callable[[Setup], Contender]:
    def make(setup: Setup) -> Contender:
        folder = prepare_model(setup.model).path
        command = own_command(setup, *options)
        return Contender(name, command, "subvino", Path(sys.executable), folder)

    return make


def _faster_whisper(name: str, *options: str) -> Callable[[Setup], Contender]:
    def make(setup: Setup) -> Contender:
        folder = ctranslate2_folder(setup.model)
        command = _script("faster_whisper_srt", sys.executable, folder, setup, *options)
        return Contender(name, command, "faster-whisper", Path(sys.executable), folder)

    return make


def _openvino_genai(setup: Setup) -> Contender:
    import openvino_genai  # noqa: F401  # to leave it out where it is missing

    folder = exported_ir(setup)
    command = _script("openvino_genai_srt", sys.executable, folder, setup)
    name = "openvino-genai int8"
    return Contender(name, command, "openvino-genai", Path(sys.executable), folder)


def _whisper_cpp(setup: Setup) -> Contender:
    import pywhispercpp  # noqa: F401

    file = ggml_file(setup)
    command = _script("whisper_cpp_srt", sys.executable, file, setup)
    return Contender("whisper.cpp f16", command, "pywhispercpp", Path(sys.executable), file)


def _optimum_intel(name: str, *options: str) -> Callable[[Setup], Contender]:
    def make(setup: Setup) -> Contender:
        python = _optimum_python(setup)
        folder = exported_ir(setup)
        command = _script("optimum_intel_srt", str(python), folder, setup, *options)
        return Contender(name, command, "optimum-intel", python, folder)

    return make


def _script(name: str, python: str, weights: Path, setup: Setup, *options: str) -> tuple[str, ...]:
    common = ("--model", str(weights), "--threads", str(setup.threads))
    language = ("--language", setup.language) if setup.language else ()
    script = str(HERE / "engines" / f"{name}.py")
    return (python, script, "MEDIA", "SRT", *common, *language, *options)


MAKERS = MappingProxyType(
    {
        "subvino": _ours(OURS[0]),
        "subvino-greedy": _ours(OURS[1], "--beam-size", "1"),
        "faster-whisper": _faster_whisper("faster-whisper int8 beam 5", "--beam", "5"),
        "faster-whisper-greedy": _faster_whisper("faster-whisper int8 greedy", "--beam", "1"),
        "faster-whisper-batched": _faster_whisper(
            "faster-whisper int8 greedy batch 8", "--beam", "1", "--batch", "8"
        ),
        "openvino-genai": _openvino_genai,
        "whisper-cpp": _whisper_cpp,
        # Five beams are what transformers' pipeline takes unless told.
        "optimum-intel": _optimum_intel("Optimum-Intel int8 f32 beam 5", "--beam", "5"),
        "optimum-intel-greedy": _optimum_intel("Optimum-Intel int8 f32 greedy", "--beam", "1"),
    }
)
"""By the name that --engines takes. A new one: a script in engines/ and a row here."""


# --- weights ------------------------------------------------------------------------------------


def ggml_file(setup: Setup) -> Path:
    """Made once, kept in the cache."""
    return _once(f"{setup.model}.ggml", lambda path: write_ggml(_checkpoint(setup), path))


def exported_ir(setup: Setup) -> Path:
    """Optimum-Intel's int8 export, which openvino-genai reads too. Made once."""

    def export(path: Path) -> None:
        script = HERE / "converters" / "optimum_export.py"
        source = _once(
            f"{setup.model}.huggingface",
            lambda folder: write_huggingface(_checkpoint(setup), folder),
        )
        command = [str(_optimum_python(setup)), str(script), str(source), str(path)]
        subprocess.run(command, check=True, stdout=sys.stderr)

    return _once(f"{setup.model}.optimum-int8", export)


def _optimum_python(setup: Setup) -> Path:
    if setup.optimum is None:
        raise OSError(
            "give --optimum PYTHON, of an environment made as converters/optimum_export.py says"
        )
    return setup.optimum


def _checkpoint(setup: Setup) -> Checkpoint:
    return open_checkpoint(ctranslate2_folder(setup.model))


def _once(name: str, make: Callable[[Path], None]) -> Path:
    folder = cache_folder() / "benchmarks"
    target, unfinished = folder / name, folder / f"{name}.unfinished"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(unfinished)
        unfinished.rename(target)
    return target
