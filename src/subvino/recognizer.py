"""What any speech recognizer offers: windows in, results out.

Floor 1 of the road. `whisper.py` is the one that ships; another engine is another class with
these methods and one line in `pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from subvino.audio import Window
from subvino.audio import WindowSound as WindowSound
from subvino.transcript import Segment, Task


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How windows become text.

    language: code, or None to detect it (transcribe.py does so before decoding).
    """

    language: str | None = None
    task: Task = "transcribe"


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What was heard in a window; segment times are media time, seconds."""

    window: Window
    segments: tuple[Segment, ...]


class Recognizer(Protocol):
    """An engine that turns windows of sound into segments."""

    @property
    def name(self) -> str:
        """The model's name, as the transcript reports it."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it knows; one code for an English-only model."""

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        """Language code → probability, over all the windows given; the values sum to 1."""

    def recognize(
        self, sounds: Iterable[WindowSound], options: DecodingOptions
    ) -> Iterator[WindowResult]:
        """A result for every window, in the order given; takes windows only as it needs them."""
