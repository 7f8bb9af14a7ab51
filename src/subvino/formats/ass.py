"""Advanced SubStation Alpha (.ass), as libass reads it; karaoke by word with `\\k`.

Times are hundredths of a second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from subvino.errors import SubtitleFileError
from subvino.formats.direction import mark_direction, without_marks
from subvino.formats.format import Format, Reading, Style, WriteOptions
from subvino.formats.timedtext import parse_clock, text_lines, word_lines
from subvino.linebreak.width import text_width
from subvino.subtitles import Cue, RawCue, Subtitles

_OVERRIDE = re.compile(r"(?<!\\)\{[^{}]{0,2000}\}")
_DRAWING = re.compile(r"\{[^{}]{0,2000}\\p[1-9]")
_WORD_JOINER = "\u2060"
_DEFAULTS = WriteOptions()
_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"


def write(subtitles: Subtitles, options: WriteOptions = _DEFAULTS) -> str:
    """Script info, one style, and a line for each cue."""
    events = "".join(f"{_event(cue, options)}\n" for cue in subtitles.cues)
    return f"{_header(options.style)}\n[Events]\nFormat: {_FIELDS}\n{events}"


def _header(style: Style) -> str:
    side = _side_margin(style)
    return f"""[Script Info]
ScriptType: v4.00+
PlayResX: {style.width}
PlayResY: {style.height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,{style.font},{style.size},{_colour(style.colour)},{_colour(style.waiting_colour)},\
&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,{style.outline},1,{style.alignment},\
{side},{side},{style.margin},1
"""


def _side_margin(style: Style) -> int:
    return style.margin if style.side_margin is None else style.side_margin


def _colour(rgb: str) -> str:
    """ASS writes alpha, blue, green, red."""
    return f"&H00{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}".upper()


def _event(cue: Cue, options: WriteOptions) -> str:
    shown = text_lines(cue)
    lines = list(_karaoke_lines(cue)) if options.words else []
    text = r"\N".join(lines or [mark_direction(_escape(line), line) for line in shown])
    size = _fitting_size(shown, options.style)
    start_cs = _centiseconds(cue.start_ms)
    end_cs = max(_centiseconds(cue.end_ms), start_cs + 1)
    return f"Dialogue: 0,{_clock(start_cs)},{_clock(end_cs)},Default,,0,0,0,,{size}{text}"


def _fitting_size(lines: list[str], style: Style) -> str:
    """The override that makes the widest word fit between the margins; "" where all fit.

    libass breaks lines at spaces only, and cuts at the picture's edges what is wider.
    """
    widest = max((_ems(word) for line in lines for word in line.split(" ")), default=0.0)
    room = max(style.width - 2 * _side_margin(style), 1)
    if widest * style.size <= room:
        return ""
    return f"{{\\fs{max(int(room / widest), 1)}}}"


def _ems(word: str) -> float:
    return sum(_letter_width(char) for char in word)


def _letter_width(char: str) -> float:
    """In sizes of the font, as in wide fonts: which one will be there is not known here.

    Measured, in parts of ascent and descent, which libass scales to the size: small letters have
    0.44 on average in Liberation Sans and 0.55 in DejaVu Sans Bold, capitals 0.61 and 0.65, the
    widest letters up to 0.95; ideographs have 0.93 in IPA Gothic.
    """
    if text_width(char) == 0:
        return 0.0
    if char in _WIDEST or unicodedata.east_asian_width(char) in "WF":
        return 0.95
    return 0.7 if char.isupper() else 0.55


_WIDEST = frozenset("MWmw@%&—…ЖМШЩЫЮжмшщыюфФ")


def _karaoke_lines(cue: Cue) -> Iterator[str]:
    """Each word's `\\k` lasts until the next one begins; they add up to the cue's duration."""
    rows = word_lines(cue)
    begins = [_centiseconds(word.start_ms) for row in rows for word in row]
    marks = [max(begins[: at + 1]) for at in range(len(begins))]
    ends = iter([*marks[1:], _centiseconds(cue.end_ms)])
    now = _centiseconds(cue.start_ms)
    for number, row in enumerate(rows):
        lead = marks[0] - now if number == 0 else 0
        line = f"{{\\k{lead}}}" if lead else ""
        now += lead
        for place, word in enumerate(row):
            end = next(ends)
            line += f"{{\\k{end - now}}}{_escape(word.text if place else word.text.lstrip())}"
            now = end
        yield mark_direction(line, "".join(word.text for word in row))


def _centiseconds(time_ms: int) -> int:
    return (time_ms + 5) // 10


def _clock(time_cs: int) -> str:
    minutes, rest = divmod(time_cs, 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest // 100:02}.{rest % 100:02}"


def _escape(text: str) -> str:
    """Braces have an escape; a backslash has none, but an invisible joiner keeps it from acting."""
    joined = text.replace("\\", "\\" + _WORD_JOINER)
    return joined.replace("{", r"\{").replace("}", r"\}")


def read(text: str, path: str = "<ass>") -> Reading:
    """The dialogue lines without override tags; drawings are left out."""
    fields: list[str] | None = None
    cues: list[RawCue] = []
    for number, line in enumerate(_event_lines(text), start=1):
        kind, _, value = line.partition(":")
        if kind.strip() == "Format":
            fields = [name.strip().lower() for name in value.split(",")]
        elif kind.strip() == "Dialogue":
            cue = _dialogue(value, fields or _FIELDS.lower().split(", "), number)
            cues += [cue] if cue else []
    if not cues and "[events]" not in text.lower():
        raise SubtitleFileError(f"{path}: no [Events] section, so no ASS or SSA file", path)
    return Reading(tuple(cues))


def _event_lines(text: str) -> Iterator[str]:
    """The file's lines; those outside of [Events] come empty, to keep the count."""
    inside = False
    for line in text.splitlines():
        if line.strip().startswith("["):
            inside = line.strip().lower() == "[events]"
        yield line if inside else ""


def _dialogue(value: str, fields: list[str], number: int) -> RawCue | None:
    row = dict(zip(fields, value.split(",", len(fields) - 1), strict=False))
    start_ms, end_ms = parse_clock(row.get("start", "")), parse_clock(row.get("end", ""))
    if start_ms is None or end_ms is None or _DRAWING.search(row.get("text", "")):
        return None
    return RawCue(start_ms, end_ms, _plain_text(row.get("text", "")), number)


def _plain_text(text: str) -> str:
    text = _OVERRIDE.sub("", text)
    for mark, char in ((r"\N", "\n"), (r"\n", "\n"), (r"\h", "\u00a0"), (r"\{", "{"), (r"\}", "}")):
        text = text.replace(mark, char)
    return without_marks(text.replace(_WORD_JOINER, "").strip())


FORMAT = Format(
    name="ass", suffix=".ass", media_type="text/x-ssa", write_subtitles=write, read=read
)
