"""The model card: what a quantized model was made from and how, and how good it is."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from subvino.quantize.gate import Verdict

JSON_NAME = "model_card.json"
MARKDOWN_NAME = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class PartCard:
    """How one graph is stored.

    error, weights_error: relative, of the graph's outputs against 16-bit weights in f32 on recorded
        inputs: as it is, and with 8-bit weights and unquantized activations.
    before_ms, after_ms: medians of interleaved runs on the machine it was made on.
    """

    alpha: float
    tried: Mapping[str, float]
    error: float
    weights_error: float | None
    n_quantizers: int
    left_out: tuple[str, ...]
    before_ms: float
    after_ms: float
    kept: bool


@dataclass(frozen=True, slots=True)
class CalibrationCard:
    """What the ranges of activations were taken from."""

    data: str
    data_sha256: str
    files: int
    windows: int
    steps: int
    steps_seen: int
    recording_sha256: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything about a quantized model that its graphs don't say.

    recipe: the options, as the command takes them. peak_memory: of the process that made it.
    """

    name: str
    kind: str
    made_from: str
    source: str
    source_fingerprint: str
    recipe: Mapping[str, Any]
    calibration: CalibrationCard | None
    parts: Mapping[str, PartCard]
    checked_on: str
    verdicts: tuple[Verdict, ...]
    peak_memory: int | None
    size: Mapping[str, int]
    versions: Mapping[str, str]

    def to_json(self) -> str:
        """All of it, indented."""
        rows = asdict(self)
        for row, verdict in zip(rows["verdicts"], self.verdicts, strict=True):
            row["increase"] = verdict.increase
        return json.dumps(_rounded(rows), ensure_ascii=False, indent=1) + "\n"

    def to_markdown(self) -> str:
        """The same for people."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# {self.name}"
        yield ""
        yield f"Whisper `{self.made_from}` ({self.source}), {self.kind}, for `--model {self.name}`."
        yield from self._calibration_lines()
        if self.parts:
            yield from ("", "## Parts", "", _PART_HEAD, "| --- |" + " ---: |" * 6)
            yield from (_part_row(name, part) for name, part in self.parts.items())
            for name, part in self.parts.items():
                if part.left_out:
                    left_out = ", ".join(part.left_out)
                    yield from ("", f"Not quantized in the {name}: {left_out}.")
        yield from ("", "## Accuracy", "", f"Checked on: {self.checked_on}.", "")
        yield from (f"- {verdict.in_words()}" for verdict in self.verdicts)
        yield from ("", "## Made with", "")
        yield from (f"- {name}: {value}" for name, value in self.versions.items())
        if self.peak_memory is not None:
            yield f"- peak memory: {self.peak_memory / 1e6:.0f} MB"
        yield from ("", f"Recipe: `{json.dumps(_rounded(dict(self.recipe)))}`")

    def _calibration_lines(self) -> Iterator[str]:
        if self.calibration is not None:
            yield from ("", "## Calibration", "", describe_calibration(self.calibration))
            yield f"SHA-256 of the data: `{self.calibration.data_sha256}`."


_PART_HEAD = "| part | alpha | error | of weights alone | quantizers | ms before | ms after |"


def _part_row(name: str, part: PartCard) -> str:
    cells = (
        name if part.kept else f"{name} (not kept)",
        f"{part.alpha:g}",
        f"{part.error:.3f}",
        "" if part.weights_error is None else f"{part.weights_error:.3f}",
        str(part.n_quantizers),
        f"{part.before_ms:.1f}",
        f"{part.after_ms:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def describe_calibration(card: CalibrationCard) -> str:
    """Where the samples ended up, in a line."""
    return (
        f"{card.data}: {card.files} files gave {card.windows} windows to the encoder and "
        f"{card.steps} decoding steps (of {card.steps_seen}) to the decoder."
    )


def write_card(card: Card, folder: Path) -> None:
    """Write both forms beside the graphs."""
    (folder / JSON_NAME).write_text(card.to_json(), encoding="utf-8", newline="\n")
    (folder / MARKDOWN_NAME).write_text(card.to_markdown(), encoding="utf-8", newline="\n")


def made_with() -> dict[str, str]:
    """Versions of what made the model, and on what."""
    names = ("subvino", "openvino", "nncf", "numpy")
    found = {name: text for name in names if (text := _version(name)) is not None}
    return found | {"python": platform.python_version(), "processor": processor_name()}


def processor_name() -> str:
    """The maker's name for the CPU."""
    from subvino.devices import list_devices

    return next(device.full_name for device in list_devices() if device.kind == "CPU")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None  # JSON knows no infinity
    return value
