"""What a subtitle format is: its name, its writers, its reader, and the options of writing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from subvino.errors import OptionError
from subvino.subtitles import RawCue, Subtitles
from subvino.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Style:
    """How cues look where the format says it (ASS; TTML takes the colour).

    size, outline, margin, side_margin: pixels of a picture `width` by `height`.
    side_margin: left and right of the text; as `margin` where None.
    colour: RRGGBB of the text; with word times, of words that were said already.
    waiting_colour: RRGGBB of words still to come.
    alignment: as on a number pad: 2 is bottom centre, 8 top centre.
    """

    font: str = "Arial"
    size: int = 60
    colour: str = "FFFFFF"
    waiting_colour: str = "A0A0A0"
    outline: int = 3
    alignment: int = 2
    margin: int = 54
    side_margin: int | None = None
    width: int = 1920
    height: int = 1080

    def __post_init__(self) -> None:
        """Raises OptionError for what would break the line it stands in."""
        if not self.font.strip() or re.search(r"[,{}\\\x00-\x1f]", self.font):
            raise OptionError(f"font {self.font!r} is no font's name")
        for colour in (self.colour, self.waiting_colour):
            if not re.fullmatch(r"[0-9A-Fa-f]{6}", colour):
                raise OptionError(f"colour {colour!r} is not of the form RRGGBB")
        if self.alignment not in range(1, 10):
            raise OptionError(f"alignment {self.alignment} is not one of 1 to 9")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a format may be asked for beyond times and text; those it can't do it leaves out.

    words: with the time of each word (VTT time tags, ASS karaoke, TTML spans, enhanced LRC).
    vtt_settings: cue settings that follow the times in WebVTT, as "line:85% align:center".
    """

    words: bool = False
    vtt_settings: str = ""
    style: Style = field(default_factory=Style)

    def __post_init__(self) -> None:
        """Raises OptionError for settings that would end the line they stand in."""
        if not re.fullmatch(r"(?:[a-z]+:[^\s:<>&]+ ?)*", self.vtt_settings):
            raise OptionError(f"{self.vtt_settings!r} are no WebVTT cue settings")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader finds: cues as they stand in the file, and the language where it is told."""

    cues: tuple[RawCue, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of FORMATS.

    Most formats are made of cues, some of what was said, some can be made of either: each has
    the writer for what it is made of. Readers take a text and the path for their errors.
    """

    name: str
    suffix: str
    media_type: str
    write_subtitles: Callable[[Subtitles, WriteOptions], str] | None = None
    write_transcript: Callable[[Transcript, WriteOptions], str] | None = None
    read: Callable[[str, str], Reading] | None = None

    @property
    def needs_cues(self) -> bool:
        """Whether a transcript must be cut into cues before it can be written."""
        return self.write_transcript is None
