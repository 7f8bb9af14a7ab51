"""New times in a file that otherwise stays as it is: markup, styles, positions and notes.

SRT, WebVTT and ASS keep each cue's times on a line of their own, so only that is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from subvino.formats.timedtext import format_clock, parse_clock
from subvino.subtitles import RawCue

Times = tuple[int, int] | None
"""In-time and out-time, ms; None for a cue that is taken out."""

_CLOCK = r"(?:\d{1,4}\s?:\s?)?\d{1,3}\s?:\s?\d{1,2}(?:\s?[.,:]\s?\d{1,9})?"
_TIMES = re.compile(rf"(\s*){_CLOCK}(\s*-{{1,3}}>\s*){_CLOCK}(?![\d:])")
_TIME_TAG = re.compile(rf"<({_CLOCK})>")
_COUNTER = re.compile(r"\s*\d{1,9}\s*")
_EVENT = re.compile(r"(\s*Dialogue\s*:)(.*)", re.DOTALL)


def retime(text: str, name: str, cues: Sequence[RawCue], times: Sequence[Times]) -> str | None:
    """The text of a file with other times; None for a format in which it can't be done.

    name: of the format. cues: as its reader found them. times: one a cue.
    """
    lines = text.splitlines(keepends=True)
    if name in ("srt", "vtt"):
        return "".join(_retime_blocks(lines, name, cues, times))
    if name == "ass":
        return "".join(_retime_events(lines, cues, times))
    return None


def _retime_blocks(
    lines: list[str], name: str, cues: Sequence[RawCue], times: Sequence[Times]
) -> list[str]:
    separator = "," if name == "srt" else "."
    firsts = [_first_line(lines, cue.line - 1) for cue in cues]
    if not cues:
        return lines
    kept = lines[: firsts[0]]
    for cue, first, after, new in zip(cues, firsts, [*firsts[1:], len(lines)], times, strict=True):
        if new is None:
            continue
        clocks = [format_clock(time, separator) for time in new]
        at = cue.line - 1
        kept += lines[first:at]
        kept.append(_TIMES.sub(rf"\g<1>{clocks[0]}\g<2>{clocks[1]}", lines[at], count=1))
        kept += [_retime_tags(line, cue, new) for line in lines[at + 1 : after]]
    return kept


def _first_line(lines: Sequence[str], at: int) -> int:
    """Where the block of the times in line `at` begins: with its counter, if it has one."""
    return at - 1 if at > 0 and _COUNTER.fullmatch(lines[at - 1]) else at


def _retime_tags(line: str, cue: RawCue, new: tuple[int, int]) -> str:
    """The line with WebVTT's time tags where they belong in the new cue."""
    scale = (new[1] - new[0]) / max(cue.end_ms - cue.start_ms, 1)

    def moved(tag: re.Match[str]) -> str:
        time_ms = parse_clock(tag[1])
        if time_ms is None:
            return tag[0]
        return f"<{format_clock(max(round(new[0] + (time_ms - cue.start_ms) * scale), 0))}>"

    return _TIME_TAG.sub(moved, line)


def _retime_events(lines: list[str], cues: Sequence[RawCue], times: Sequence[Times]) -> list[str]:
    by_line = {cue.line: new for cue, new in zip(cues, times, strict=True)}
    fields = ["layer", "start", "end"]
    kept = []
    for number, line in enumerate(lines, start=1):
        if line.strip().lower().startswith("format") and "start" in line.lower():
            fields = [name.strip().lower() for name in line.partition(":")[2].split(",")]
        if number not in by_line:
            kept.append(line)
        elif (new := by_line[number]) is not None:
            kept.append(_retime_event(line, fields, new))
    return kept


def _retime_event(line: str, fields: Sequence[str], new: tuple[int, int]) -> str:
    found = _EVENT.match(line)
    if found is None:
        return line
    values = found[2].split(",", len(fields) - 1)
    for name, time_ms in zip(("start", "end"), new, strict=True):
        at = fields.index(name)
        lead = values[at][: len(values[at]) - len(values[at].lstrip())]
        values[at] = lead + _centisecond_clock(time_ms)
    return found[1] + ",".join(values)


def _centisecond_clock(time_ms: int) -> str:
    hours, rest = divmod((time_ms + 5) // 10, 360_000)
    minutes, hundredths = divmod(rest, 6000)
    return f"{hours}:{minutes:02}:{hundredths // 100:02}.{hundredths % 100:02}"
