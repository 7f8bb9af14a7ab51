"""TTML (.ttml), written in the text profile of IMSC 1.1, read in any version.

Clauses are those of the W3C's "Timed Text Markup Language 2" and "TTML Profiles for Internet
Media Subtitles and Captions 1.1". A document type or entity is refused before anything is
parsed: a few bytes of nested entities could fill the memory.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from subvino.errors import SubtitleFileError
from subvino.formats.direction import mark_direction, without_marks
from subvino.formats.format import Format, Reading, WriteOptions
from subvino.formats.timedtext import format_clock, plain_text, text_lines, word_lines
from subvino.subtitles import Cue, RawCue, Subtitles

_DEFAULTS = WriteOptions()


def write(subtitles: Subtitles, options: WriteOptions = _DEFAULTS) -> str:
    """One region at the bottom and a paragraph for each cue; spans with times for its words."""
    paragraphs = "".join(
        f'      <p begin="{format_clock(cue.start_ms)}" end="{format_clock(cue.end_ms)}">'
        f"{'<br/>'.join(_lines(cue, options))}</p>\n"
        for cue in subtitles.cues
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" \
xmlns:tts="http://www.w3.org/ns/ttml#styling" \
ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/imsc1.1/text" ttp:timeBase="media" \
xml:lang="{_escape(plain_text(subtitles.language))}">
  <head>
    <styling>
      <style xml:id="default" tts:color="#{options.style.colour}" tts:fontFamily="\
proportionalSansSerif" tts:fontSize="100%" tts:textAlign="center"/>
    </styling>
    <layout>
      <region xml:id="bottom" tts:origin="10% 10%" tts:extent="80% 80%" \
tts:displayAlign="after"/>
    </layout>
  </head>
  <body style="default" region="bottom">
    <div>
{paragraphs}    </div>
  </body>
</tt>
"""


def _lines(cue: Cue, options: WriteOptions) -> list[str]:
    spans = list(_span_lines(cue)) if options.words else []
    return spans or [mark_direction(_escape(line), line) for line in text_lines(cue)]


def _span_lines(cue: Cue) -> Iterator[str]:
    """A span's times count from its paragraph's begin (TTML2, 12.2: par containers)."""
    for row in word_lines(cue):
        line = ""
        for word in row:
            space = " " if line and word.text[:1].isspace() else ""
            begin = format_clock(max(word.start_ms - cue.start_ms, 0))
            line += f'{space}<span begin="{begin}">{_escape(word.text.strip())}</span>'
        yield mark_direction(line, "".join(word.text for word in row))


def _escape(text: str) -> str:
    return html.escape(text)


# --- reading --------------------------------------------------------------------------------

_MOST_DEPTH = 100
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d)(?:(\.\d{1,9})|:(\d{1,3})(?:\.\d{1,3})?)?")


def read(text: str, path: str = "<ttml>") -> Reading:
    """The paragraphs that have a time of their own, or from what contains them."""
    from xml.etree import ElementTree

    if re.search(r"<!\s*(?:DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise SubtitleFileError(f"{path}: a document type or entity in TTML is refused", path)
    reader = _Reader()
    # No entity can be declared, depth and numbers are bounded by the reader, and no tree is kept.
    parser = ElementTree.XMLParser(target=reader)  # noqa: S314
    try:
        parser.feed(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text))
        parser.close()
    except (ElementTree.ParseError, ValueError) as error:
        raise SubtitleFileError(f"{path}: no TTML that can be read ({error})", path) from error
    return Reading(tuple(reader.cues), reader.language)


@dataclass(frozen=True, slots=True)
class _Clock:
    """The rates that times in frames and ticks are counted in."""

    frame_rate: float = 30.0
    tick_rate: float = 1.0

    def milliseconds(self, expression: str) -> int:
        """Of a time expression (TTML2, 12.3.1); raises ValueError for what is none."""
        text = expression.strip()
        if match := _OFFSET.fullmatch(text):
            return round(float(match[1]) * self._unit_ms(match[2]))
        if match := _CLOCK.fullmatch(text):
            whole = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
            part = float(match[4] or 0) + int(match[5] or 0) / self.frame_rate
            return round((whole + part) * 1000)
        raise ValueError(f"time {text[:40]!r}")

    def _unit_ms(self, unit: str) -> float:
        rates = {"f": 1000 / self.frame_rate, "t": 1000 / self.tick_rate}
        return rates.get(unit) or {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}[unit]


def _clock_of(attributes: Mapping[str, str]) -> _Clock:
    """From the root's parameters (TTML2, 7.2)."""
    frame_rate = float(attributes.get("frameRate", 30))
    numerator, denominator = attributes.get("frameRateMultiplier", "1 1").replace(":", " ").split()
    frame_rate *= float(numerator) / max(float(denominator), 1e-9)
    default = frame_rate if "frameRate" in attributes else 1
    tick_rate = float(attributes.get("tickRate", default))
    if not (0 < frame_rate < 1e9 and 0 < tick_rate < 1e12):
        raise ValueError("frame or tick rate")
    return _Clock(frame_rate, tick_rate)


@dataclass(frozen=True, slots=True)
class _Element:
    """An open element: where its time begins and ends, None where it does not say."""

    name: str
    begin_ms: int
    end_ms: int | None
    timed: bool


@dataclass(slots=True)
class _Reader:
    """A target of ElementTree's parser: gets each tag as it comes and keeps the cues only."""

    cues: list[RawCue] = field(default_factory=list)
    language: str = ""
    _clock: _Clock = field(default_factory=_Clock)
    _open: list[_Element] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element opens."""
        name = _local(tag)
        local = {_local(key): value for key, value in attributes.items()}
        if not self._open:
            if name != "tt":
                raise ValueError(f"its root is {name[:40]!r}, not tt")
            self.language, self._clock = local.get("lang", ""), _clock_of(local)
        if len(self._open) >= _MOST_DEPTH:
            raise ValueError("too deep")
        if name == "p":
            self._text.clear()
        self._text += ["\n"] if name == "br" else []
        self._open.append(self._timed(name, local))

    def _timed(self, name: str, attributes: Mapping[str, str]) -> _Element:
        above = self._open[-1] if self._open else _Element("", 0, None, False)
        if name not in ("body", "div", "p"):
            return _Element(name, above.begin_ms, above.end_ms, above.timed)
        begin_ms = above.begin_ms + self._clock.milliseconds(attributes.get("begin", "0s"))
        ends = [] if above.end_ms is None else [above.end_ms]
        if "end" in attributes:
            ends.append(above.begin_ms + self._clock.milliseconds(attributes["end"]))
        if "dur" in attributes:
            ends.append(begin_ms + self._clock.milliseconds(attributes["dur"]))
        timed = above.timed or not {"begin", "end", "dur"}.isdisjoint(attributes)
        return _Element(name, begin_ms, min(ends, default=None), timed)

    def data(self, text: str) -> None:
        """Text inside an element; white space counts as one space (xml:space="default")."""
        if any(element.name == "p" for element in self._open):
            self._text.append(re.sub(r"\s+", " ", text))

    def end(self, tag: str) -> None:
        """An element closes."""
        del tag
        element = self._open.pop()
        if element.name == "p" and element.timed:
            lines = (" ".join(line.split(" ")).strip() for line in "".join(self._text).split("\n"))
            end_ms = element.begin_ms if element.end_ms is None else element.end_ms
            self.cues.append(
                RawCue(element.begin_ms, end_ms, without_marks("\n".join(lines).strip()))
            )

    def close(self) -> None:
        """The document ends."""


def _local(name: str) -> str:
    """A name without its namespace: files use those of five drafts."""
    return name.rpartition("}")[2]


FORMAT = Format(
    name="ttml",
    suffix=".ttml",
    media_type="application/ttml+xml",
    write_subtitles=write,
    read=read,
)
