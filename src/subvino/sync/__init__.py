"""Subtitles that are out of step → in step with the speech: shifted, stretched, moved by pieces.

Floor 2 of the road; pure: cues and speech come in, a `Retiming` goes out.

    retiming   Piece and Retiming: from old times to new ones, and what they did in words
    search     the retiming under which cues and speech agree best
"""

from __future__ import annotations

from subvino.sync.retiming import (
    KNOWN_RATES,
    MIN_CERTAINTY,
    Piece,
    Retiming,
    describe,
    to_json,
)
from subvino.sync.search import SyncOptions, find_retiming

__all__ = [
    "KNOWN_RATES",
    "MIN_CERTAINTY",
    "Piece",
    "Retiming",
    "SyncOptions",
    "describe",
    "find_retiming",
    "to_json",
]
