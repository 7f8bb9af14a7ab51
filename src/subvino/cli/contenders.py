"""What `subvino compare` compares: a model of ours run in some way, or another engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subvino.cli.options import check_choice, given
from subvino.errors import OptionError, SubvinoError

if TYPE_CHECKING:
    from subvino.evaluate import Engine
    from subvino.models import Progress
    from subvino.whisper.slots import SlotEngine

PEERS = ("faster-whisper", "openvino-genai")
_KEYS = ("weights", "device", "beam", "batch")
_PROBE = "import sys; from subvino.cli.contenders import probe; probe(sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Contender:
    """Who takes part, as the user writes it: `base`, `base,weights=fp16`, `faster-whisper:base`.

    peer: the other engine; None for ours.
    """

    text: str
    model: str
    peer: str | None = None
    weights: str | None = None
    device: str | None = None
    beam: int | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A contender ready to run.

    parts: its network, None for other engines. languages: codes that it knows, None where it does
    not tell.
    """

    engine: Engine
    files: tuple[Path, ...]
    parts: SlotEngine | None = None
    languages: tuple[str, ...] | None = None

    @property
    def disk(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.files)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a contender took in a process of its own; see `evaluate.Side`."""

    loaded: int | None
    peak: int | None
    start: float


def parse_contender(text: str) -> Contender:
    """The contender that the text names.

    >>> parse_contender("base,device=GPU").device
    'GPU'

    Raises OptionError.
    """
    first, *settings = text.split(",")
    peer = next((name for name in PEERS if first.startswith(f"{name}:")), None)
    model = first if peer is None else first.removeprefix(f"{peer}:")
    values: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key not in _KEYS or not value:
            raise OptionError(
                f"{text!r}: {setting!r} is no setting; use {', '.join(f'{k}=' for k in _KEYS)}"
            )
        values[key] = _number(text, value) if key in ("beam", "batch") else value
    if not model:
        raise OptionError(f"{text!r} names no model; write MODEL or ENGINE:MODEL")
    if peer is not None and not {"weights", "device"}.isdisjoint(values):
        raise OptionError(f"{text!r}: {peer} takes no weights or device here")
    return Contender(text, model, peer, **values)


def _number(text: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise OptionError(f"{text!r}: {value!r} is no whole number")
    return int(value)


def load_contender(
    contender: Contender, threads: int | None, progress: Progress | None = None
) -> Loaded:
    """The contender, loaded; raises what `load_transcriber` and `load_peer` raise."""
    if contender.peer is not None:
        return _load_peer(contender, threads)
    return _load_ours(contender, threads, progress)


def _load_ours(contender: Contender, threads: int | None, progress: Progress | None) -> Loaded:
    from subvino.evaluate import SubvinoEngine
    from subvino.models import prepare_model
    from subvino.network import WeightsKind
    from subvino.pipeline import EngineOptions, decoding_options, load_transcriber
    from subvino.whisper import WhisperRecognizer

    weights = contender.weights
    kind = None if weights is None else check_choice("weights", weights, WeightsKind)
    options = EngineOptions(**given(weights=kind, device=contender.device, threads=threads))
    transcriber = load_transcriber(contender.model, options, progress)
    folder = prepare_model(contender.model, options.weights)
    decoding = decoding_options(**given(beam_size=contender.beam, batch_size=contender.batch))
    recognizer = transcriber.recognizer
    parts = recognizer.engine if isinstance(recognizer, WhisperRecognizer) else None
    engine = SubvinoEngine(contender.text, transcriber, decoding)
    return Loaded(engine, _files(folder.path), parts, recognizer.languages)


def _load_peer(contender: Contender, threads: int | None) -> Loaded:
    from subvino.evaluate.peers import PeerName, PeerOptions, ctranslate2_folder, load_peer

    options = PeerOptions(threads, **given(beam_size=contender.beam, batch_size=contender.batch))
    name = check_choice("engine", contender.peer or "", PeerName)
    engine = load_peer(name, contender.model, options)
    own = name == "faster-whisper"
    folder = ctranslate2_folder(contender.model) if own else Path(contender.model)
    return Loaded(engine, _files(folder))


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in sorted(folder.iterdir()) if path.is_file())


def run_probe(contender: Contender, threads: int | None, clip: Path) -> Probe:
    """Load the contender in a process of its own and transcribe a clip there.

    Raises SubvinoError where that process fails.
    """
    arguments = [contender.text, str(threads or 0), str(clip)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", _PROBE, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SubvinoError(f"{contender.text}: failed in a process of its own ({reason})")
    return Probe(**json.loads(lines[-1]))


def probe(arguments: Sequence[str]) -> None:
    """What the process of `run_probe` does: prints a `Probe` as JSON."""
    from subvino.memory import peak_memory

    text, threads, clip = arguments
    begin = time.perf_counter()
    loaded = load_contender(parse_contender(text), int(threads) or None)
    start, memory = time.perf_counter() - begin, peak_memory()
    loaded.engine.transcribe(Path(clip), None, words=True)
    found = {"loaded": memory, "peak": peak_memory(), "start": start}
    sys.stdout.write(json.dumps(found) + "\n")
