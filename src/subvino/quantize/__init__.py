"""Static INT8 and 4-bit weights, by NNCF: calibrate on speech, quantize, check, keep or fall back.

Floor 5 of the road: runs the pipeline to calibrate and to check. Needs the extra `quantize`.
"""

from __future__ import annotations

from subvino.quantize.card import Card
from subvino.quantize.gate import Verdict
from subvino.quantize.options import (
    PARTS,
    TUNED_ALPHAS,
    Gate,
    Part,
    QuantizedKind,
    QuantizeOptions,
    StaticOptions,
)
from subvino.quantize.recording import Limits
from subvino.quantize.run import Data, Outcome, Report, quantize_model

__all__ = [
    "PARTS",
    "TUNED_ALPHAS",
    "Card",
    "Data",
    "Gate",
    "Limits",
    "Outcome",
    "Part",
    "QuantizeOptions",
    "QuantizedKind",
    "Report",
    "StaticOptions",
    "Verdict",
    "quantize_model",
]
