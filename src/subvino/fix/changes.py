"""What fixing is asked for, and what it changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from subvino.errors import OptionError
from subvino.subtitles import Subtitles

Kind = Literal["text", "settled", "start", "end", "lines", "cut", "joined"]
"""Of a change: markup or white space taken out; order, overlaps and empty cues settled; in-time;
out-time; lines broken anew; words cut into cues anew; cues joined."""


@dataclass(frozen=True, slots=True)
class Change:
    """cue: the number in the input of the cue in which it began, from 1. time_ms: in media time."""

    kind: Kind
    cue: int
    time_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """The cues, and what was changed to get them, in the order of the work."""

    subtitles: Subtitles
    changes: tuple[Change, ...]

    def to_json(self, **context: str | int) -> str:
        """The documented JSON form (docs/check.md), ending in a line break.

        context: what else belongs at its head.
        """
        row = {
            **context,
            "n_cues": len(self.subtitles.cues),
            "n_changes": len(self.changes),
            "changes": [asdict(change) for change in self.changes],
        }
        return json.dumps(row, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class FixOptions:
    """language: code of the text's; "" where unknown.

    onsets: where speech begins, seconds in order; an in-time at most `max_snap` seconds away moves
        onto it.
    """

    language: str = ""
    onsets: tuple[float, ...] = ()
    max_snap: float = 0.3

    def __post_init__(self) -> None:
        """Raises OptionError for a time that makes no sense."""
        if not 0 <= self.max_snap <= 60:
            raise OptionError(f"max_snap is {self.max_snap}; it must lie between 0 and 60 s")
