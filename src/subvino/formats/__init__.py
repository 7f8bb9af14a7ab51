"""Subtitle formats: cues or a transcript to text, and text of any origin back to cues.

Floor 1 of the road; pure: texts and bytes in and out, files are the caller's.

To add a format: write `formats/x.py` with a function for each thing it can do and a `FORMAT`
that names them, add its `FORMAT` to the tuple below, and write `tests/formats/test_x.py` (the
round trip, and a reader that nobody here wrote).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from subvino.errors import OptionError, SubtitleFileError
from subvino.formats import ass, lrc, srt, transcript_json, tsv, ttml, txt, vtt
from subvino.formats.encoding import decode_text, encode_text
from subvino.formats.format import Format, Reading, Style, WriteOptions
from subvino.formats.retiming import retime
from subvino.subtitles import RawCue, Subtitles
from subvino.transcript import Transcript

__all__ = [
    "FORMATS",
    "Format",
    "Reading",
    "Style",
    "SubtitleFile",
    "WriteOptions",
    "decode_text",
    "encode_text",
    "find_format",
    "read",
    "retime",
    "write",
]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        module.FORMAT.name: module.FORMAT
        for module in (srt, vtt, ass, ttml, lrc, tsv, txt, transcript_json)
    }
)
"""Formats by name, in the order in which they are offered."""

MAX_FILE_BYTES = 32 * 2**20
"""A greater file is refused: a film's subtitles take a tenth of a megabyte."""

_DEFAULTS = WriteOptions()


def find_format(name: str) -> Format:
    """The format of a name; raises OptionError that lists them all."""
    if name not in FORMATS:
        raise OptionError(f"no format {name!r}; use one of: {', '.join(FORMATS)}")
    return FORMATS[name]


def write(content: Subtitles | Transcript, name: str, options: WriteOptions = _DEFAULTS) -> str:
    """The content of a file of that format; raises OptionError where it is made of the other.

    >>> from subvino.subtitles import Cue
    >>> write(Subtitles((Cue(0, 1500, ("Hello!",)),)), "srt")
    '1\\n00:00:00,000 --> 00:00:01,500\\nHello!\\n'
    """
    found = find_format(name)
    if isinstance(content, Transcript):
        if found.write_transcript is None:
            raise OptionError(f"{name} is made of cues; cut the transcript into cues first")
        return found.write_transcript(content, options)
    if found.write_subtitles is None:
        raise OptionError(f"{name} is made of a transcript; cues have not all that belongs in it")
    return found.write_subtitles(content, options)


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """What a file held, before anything in it was set right (`subtitles.settle` does that).

    format: name of the format found. encoding: as Python names it.
    language: "" where the file does not tell.
    """

    cues: tuple[RawCue, ...]
    format: str
    encoding: str
    language: str = ""


def read(data: bytes, path: str = "<subtitles>") -> SubtitleFile:
    """The cues of a subtitle file of any format that has a reader, in any encoding.

    Raises SubtitleFileError, one line, for anything else.
    """
    if len(data) > MAX_FILE_BYTES:
        raise SubtitleFileError(
            f"{path}: {len(data)} bytes, more than the {MAX_FILE_BYTES} a subtitle file may have",
            path,
        )
    text, encoding = decode_text(data)
    if not text.strip("\0 \t\r\n"):
        raise SubtitleFileError(f"{path}: empty", path)
    name = _detect(text, path)
    reader = FORMATS[name].read
    if reader is None:
        raise SubtitleFileError(f"{path}: {name} files have not enough in them to be read", path)
    found = reader(text, path)
    return SubtitleFile(found.cues, name, encoding, found.language)


def _detect(text: str, path: str) -> str:
    """The format by what the text begins with or holds; by the file's name where that says none."""
    head = text[:4096].lstrip()
    if head.startswith("WEBVTT"):
        return "vtt"
    if head.startswith("{") and '"segments"' in text:
        return "json"
    if head.startswith("<"):
        return "ttml"
    if "[script info]" in head.lower() or "\n[events]" in text.lower():
        return "ass"
    if "->" in text:
        return "srt"
    suffix = PurePath(path).suffix.lower()
    named = [name for name, known in FORMATS.items() if known.suffix == suffix]
    if not named:
        known = ", ".join(name for name, row in FORMATS.items() if row.read)
        raise SubtitleFileError(f"{path}: no subtitle format that is known here ({known})", path)
    return named[0]
