"""Clips with references: the manifest of an evaluation set.

A manifest is a file of JSON lines, one clip a line:

    {"audio": "clips/a.flac", "text": "Good morning.", "lang": "en"}

audio: a path, relative to the manifest's folder.
text: what is said; empty where nobody speaks.
lang: Whisper's code; "zxx" where nobody speaks (ISO 639-2), absent where it is not known.
id: defaults to the audio's stem.
words: [[word, start, end], ...], seconds; segments: [[start, end, phrase], ...].
ref_timing: how good those times are; they are not measured by where this begins with "coarse".
exclude_from_wer: [[start, end], ...], seconds in which words don't count; it needs segments.
ref_end: seconds after which the reference says nothing, though there may be speech.
strip_accents: true where the reference has none.
Other keys are not looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subvino.errors import ManifestError, MediaNotFoundError
from subvino.languages import language_code

NO_SPEECH = "zxx"
"""ISO 639-2: no linguistic content."""

_MAX_BYTES = 256 * 2**20
_MAX_TIME = 1e9


@dataclass(frozen=True, slots=True)
class TimedText:
    """A word or a phrase and when it is said, seconds; either time may be unknown."""

    text: str
    start: float | None
    end: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of media time, seconds; `end` may be infinite."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A media file and what is said in it.

    text: empty where nobody speaks.
    language: None where it is not known or nobody speaks.
    words, phrases: with times good enough to measure by; None where there are none.
    pieces: the text in parts that lie wholly inside or outside of `excluded`.
    """

    id: str
    audio: Path
    text: str
    language: str | None = None
    words: tuple[TimedText, ...] | None = None
    phrases: tuple[TimedText, ...] | None = None
    pieces: tuple[TimedText, ...] = ()
    excluded: tuple[Span, ...] = ()
    strip_accents: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A named set of clips."""

    name: str
    clips: tuple[Clip, ...]


def read_manifest(path: Path, *, strip_accents: bool = False) -> Manifest:
    """The clips of a manifest, or of the `manifest.jsonl` in a folder.

    strip_accents: for every clip, whatever its line says.

    Raises:
        ManifestError: it can't be read, or a line of it is not as it should be.
        MediaNotFoundError: a clip's file is not there.
    """
    file = _file(path)
    clips = tuple(
        _read_line(file, number, line, strip_accents)
        for number, line in enumerate(_read_text(file).split("\n"), start=1)
        if line.strip()
    )
    if not clips:
        raise ManifestError(f"{file}: no clip in it; give a line of JSON for each", file)
    return Manifest(name_manifest(path), clips)


def name_manifest(path: Path) -> str:
    """`speech/en`, `speech/en/manifest.jsonl` and `speech/en.jsonl` are known as "en"."""
    file = _file(path)
    return file.absolute().parent.name if file.stem == "manifest" else file.stem


def _file(path: Path) -> Path:
    return path / "manifest.jsonl" if path.is_dir() else path


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ManifestError(f"{file}: more than {_MAX_BYTES >> 20} MiB; split it", file)
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise ManifestError(f"{file}: the manifest can't be read ({reason})", file) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: the manifest is not UTF-8 text", file) from error


def _read_line(file: Path, number: int, line: str, strip_accents: bool) -> Clip:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("an object was expected")
        clip = _read_clip(row, file.parent, strip_accents)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ManifestError(f"{file}: line {number} is not a clip ({reason})", file) from error
    if not clip.audio.is_file():
        raise MediaNotFoundError(clip.audio)
    return clip


def _read_clip(row: Mapping[str, Any], folder: Path, strip_accents: bool) -> Clip:
    language = row.get("lang")
    spoken = language != NO_SPEECH
    audio, text = folder / _string(row["audio"]), _string(row["text"]) if spoken else ""
    segments = _times(row.get("segments"), text_at=2)
    excluded = _excluded(row)
    coarse = str(row.get("ref_timing") or "").startswith("coarse")
    return Clip(
        id=_string(row.get("id", audio.stem)),
        audio=audio,
        text=text,
        language=language_code(_string(language)) if spoken and language else None,
        words=None if coarse else _times(row.get("words"), text_at=0),
        phrases=None if coarse else segments,
        pieces=_pieces(text, segments, excluded),
        excluded=excluded,
        strip_accents=strip_accents or row.get("strip_accents") is True,
    )


def _excluded(row: Mapping[str, Any]) -> tuple[Span, ...]:
    spans = [Span(*map(_time, item)) for item in row.get("exclude_from_wer") or ()]
    if row.get("ref_end") is not None:
        spans.append(Span(_time(row["ref_end"]), math.inf))
    return tuple(sorted(spans, key=lambda span: span.start))


def _pieces(
    text: str, segments: Sequence[TimedText] | None, excluded: Sequence[Span]
) -> tuple[TimedText, ...]:
    if excluded and segments:
        return tuple(segments)
    if any(span.end < math.inf for span in excluded):
        raise ValueError("exclude_from_wer needs segments")
    return (TimedText(text, None, None),)


def _times(rows: object, text_at: int) -> tuple[TimedText, ...] | None:
    """Rows of two times and a text, which stands first or last; None where there are none."""
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == 3 for r in rows):
        raise ValueError("words and segments are lists of three")
    pairs = [(_string(row[text_at]), row[:text_at] + row[text_at + 1 :]) for row in rows]
    return tuple(TimedText(text, _time(start), _time(end)) for text, (start, end) in pairs) or None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is not a time")
    if not 0 <= value <= _MAX_TIME:
        raise ValueError(f"{value!r} is not a time in seconds")
    return float(value)
