"""Made-up transcripts, and an engine that gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from subvino.evaluate import Clip, Manifest, TimedText
from subvino.transcript import Segment, Transcript, Word


def make_clip(folder: Path, name: str, text: str, language: str | None = "de") -> Clip:
    """A clip whose file is there."""
    audio = folder / f"{name}.flac"
    audio.write_bytes(name.encode())
    return Clip(name, audio, text, language, pieces=(TimedText(text, None, None),))


def make_manifest(name: str, *clips: Clip) -> Manifest:
    return Manifest(name, clips)


def say(
    text: str, language: str = "de", start: float = 0.0, end: float = 2.0, words: bool = False
) -> Transcript:
    """One segment in a file of ten seconds; each of its words takes an equal part of it."""
    parts = text.split()
    step = (end - start) / max(1, len(parts))
    timed = tuple(
        Word(f" {part}", start + i * step, start + (i + 1) * step, 1.0)
        for i, part in enumerate(parts)
    )
    segments = (Segment(text, start, end, timed if words else None),) if text else ()
    return Transcript(segments, language, 1.0, 10.0)


class Parrot:
    """Says what it was given for each file, and notes what it was asked."""

    def __init__(self, name: str, says: Mapping[str, Transcript], calls: list[str]) -> None:
        self.name = name
        self._says = says
        self._calls = calls

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        self._calls.append(f"{self.name} {path.stem} {language} {words}")
        return self._says[path.stem]
