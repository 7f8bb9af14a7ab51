"""What can be chosen about quantizing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from subvino.errors import OptionError
from subvino.quantize.recording import Limits

Part = Literal["encoder", "decoder"]
PARTS: tuple[Part, ...] = ("encoder", "decoder")

QuantizedKind = Literal["int8-static", "int4"]
"""int8-static: activations in 8 bits too, by calibration. int4: weights only, no calibration."""


@dataclass(frozen=True, slots=True)
class StaticOptions:
    """How a part is quantized.

    alphas: of SmoothQuant; of several the one with the least error is taken.
    left_out_above: an activation stays as it is where its quantizer alone adds more than this, in
        multiples of the squared error that 8-bit weights make by themselves; infinite looks for
        none.
    """

    alphas: tuple[float, ...]
    left_out_above: float = 0.15

    def __post_init__(self) -> None:
        if not self.alphas or not all(0 <= alpha <= 1 for alpha in self.alphas):
            raise OptionError(f"alphas are {self.alphas}; give some from 0 to 1")
        if not self.left_out_above >= 0:  # so that NaN is refused too
            raise OptionError(f"left_out_above is {self.left_out_above}; give 0 or more")

    @property
    def looks_for_left_out(self) -> bool:
        """Whether the share of each quantizer in the error is measured."""
        return self.left_out_above < math.inf


TUNED_ALPHAS = (0.5, 0.65, 0.8, 0.95)


@dataclass(frozen=True, slots=True)
class Gate:
    """How much worse a quantized model may be than the one it was made from.

    max_wer_increase: in points of per cent. max_word_shift: median of how far the onsets of words
        that both heard lie apart, seconds.
    """

    max_wer_increase: float = 0.5
    max_word_shift: float = 0.05


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """parts: those to quantize; None takes the ones that come out faster on this machine.

    kind: see `QuantizedKind`. group_size: weights of a 4-bit group, that share a scale.
    """

    kind: QuantizedKind = "int8-static"
    parts: tuple[Part, ...] | None = None
    encoder: StaticOptions = field(default_factory=lambda: StaticOptions((0.75,)))
    decoder: StaticOptions = field(default_factory=lambda: StaticOptions((0.96,)))
    limits: Limits = field(default_factory=Limits)
    gate: Gate = field(default_factory=Gate)
    group_size: int = 64
    threads: int | None = None

    def static(self, part: Part) -> StaticOptions:
        """How this part is quantized."""
        return self.encoder if part == "encoder" else self.decoder
