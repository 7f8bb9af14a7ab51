"""How good transcripts are: word errors, errors of times, invented words, speed; engines compared.

Floor 4 of the road, beside the pipeline: measures what comes out of it and of other engines.
"""

from __future__ import annotations

from subvino.evaluate.compare_report import CompareReport, Side
from subvino.evaluate.comparison import Comparison, Difference, Hearing, compare, hear
from subvino.evaluate.engines import Engine, SubvinoEngine
from subvino.evaluate.manifest import Clip, Manifest, TimedText, name_manifest, read_manifest
from subvino.evaluate.page import render_page
from subvino.evaluate.parts import PartOptions, PartTimes, time_parts
from subvino.evaluate.plots import check_plots, draw_plots, draw_ratios
from subvino.evaluate.report import Report, Summary, Table
from subvino.evaluate.run import EvaluateOptions, EvaluateProgress, evaluate
from subvino.evaluate.score import ClipResult, Invention
from subvino.evaluate.timing import TimingErrors, TimingSummary
from subvino.evaluate.wer import ErrorCounts

__all__ = [
    "Clip",
    "ClipResult",
    "CompareReport",
    "Comparison",
    "Difference",
    "Engine",
    "ErrorCounts",
    "EvaluateOptions",
    "EvaluateProgress",
    "Hearing",
    "Invention",
    "Manifest",
    "PartOptions",
    "PartTimes",
    "Report",
    "Side",
    "SubvinoEngine",
    "Summary",
    "Table",
    "TimedText",
    "TimingErrors",
    "TimingSummary",
    "check_plots",
    "compare",
    "draw_plots",
    "draw_ratios",
    "evaluate",
    "hear",
    "name_manifest",
    "read_manifest",
    "render_page",
    "time_parts",
]
