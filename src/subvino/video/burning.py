"""Subtitles as part of the picture, drawn by libass; the sound is copied as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from subvino.errors import DamagedMediaError, OptionError
from subvino.formats import Style, WriteOptions, write
from subvino.media import open_media
from subvino.outputs import BURNED
from subvino.video.ffmpeg import Outcome, find_ffmpeg
from subvino.video.source import Source, describe_source, find_container, plan_copies
from subvino.video.track import SubtitleTrack
from subvino.video.work import (
    Finished,
    Job,
    Progress,
    check_output,
    default_output,
    describe_trouble,
)

Position = Literal["bottom", "middle", "top"]
_ALIGNMENTS = {"bottom": 2, "middle": 5, "top": 8}

PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
"""Of x264, from the fastest to the smallest file."""

BURN_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
"""Of files that H.264 can go into."""
BURN_NEEDS = ("ass", "libx264")
"""What ffmpeg must have: libass's filter and x264."""

_SHORT_SIDE = 1080
"""Pixels that the picture's shorter side is taken to have: what sizes and margins are given in."""
_UPRIGHT_SIZE = 84
"""Of the font in a picture that is taller than wide: 25 characters a line then fill its width."""
_TIME_BASE = "1:90000"
"""Seconds; MPEG's. With the one that ffmpeg takes by itself, frames move to a grid of its own."""
_SIDE_SHARE = 0.05
"""Of the width, kept free left and right: the graphics safe area of EBU R 95."""
_UPRIGHT_SHARE = 0.15
"""Of the height, kept free below in an upright picture, where apps lay their buttons."""


@dataclass(frozen=True, slots=True)
class BurnOptions:
    """How subtitles look in the picture, and how it is encoded (x264).

    What is None is chosen for the picture. size, outline and margin (from the edge that
    `position` names) are pixels of a picture whose shorter side has 1080; colour is RRGGBB.
    fonts: a folder of fonts beside the system's.
    words: colour each word when it is said, where the times of words are known.
    crf: 0 (lossless) to 51; preset: one of PRESETS.
    """

    font: str | None = None
    size: int | None = None
    colour: str | None = None
    outline: int | None = None
    margin: int | None = None
    position: Position = "bottom"
    words: bool = False
    fonts: Path | None = None
    crf: int = 18
    preset: str = "medium"

    def __post_init__(self) -> None:
        """Raises OptionError for what neither ffmpeg nor a viewer could use."""
        _check_range("crf", self.crf, 0, 51)
        _check_range("font size", self.size, 1, 1000)
        _check_range("outline", self.outline, 0, 100)
        _check_range("margin", self.margin, 0, 1000)
        if self.preset not in PRESETS:
            raise OptionError(f"no preset {self.preset!r}; use one of: {', '.join(PRESETS)}")
        if self.position not in _ALIGNMENTS:
            raise OptionError(f"no position {self.position!r}; use one of: bottom, middle, top")
        if self.fonts is not None and not self.fonts.is_dir():
            raise OptionError(f"{self.fonts}: no folder of fonts")

    @property
    def changes_style(self) -> bool:
        """Whether anything is asked for that an ASS file's own styles would say otherwise."""
        chosen = (self.font, self.size, self.colour, self.outline, self.margin)
        return any(value is not None for value in chosen) or self.position != "bottom"


def _check_range(name: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise OptionError(f"{name} is {value}; it must lie between {low} and {high}")


_DEFAULTS = BurnOptions()


def burn(
    video: str | Path,
    track: SubtitleTrack,
    output: str | Path | None = None,
    options: BurnOptions = _DEFAULTS,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Finished:
    """The video with the subtitles drawn into its picture, in a new file.

    output: MP4, MOV or Matroska; beside the video, `talk.burned.mp4`, where None. An ASS file's
        own styles are kept where the options change none.

    Raises InputError, OptionError, OutputError, MissingExtraError.
    """
    source = describe_source(Path(video))
    path = default_output(source.path, BURNED, BURN_SUFFIXES) if output is None else Path(output)
    container = find_container(path)
    if path.suffix.lower() not in BURN_SUFFIXES:
        suffixes = ", ".join(BURN_SUFFIXES)
        raise OptionError(f"{path}: the picture becomes H.264; use one of {suffixes}")
    check_output(source.path, path, overwrite)
    picture = look_at(source)
    script = _script(track, picture, options)

    def call(with_data: bool) -> list[str]:
        copies = plan_copies(source, container, with_data)
        place = copies.kept.index(source.picture)
        return [
            *source.input_arguments(),
            *copies.arguments,
            *_encoding(place, picture, options),
            *container.options,
            *("-f", container.muxer),
        ]

    executable = find_ffmpeg("burning subtitles into a video", BURN_NEEDS)
    job = Job(executable, source, path, {_SCRIPT: script}, progress)
    outcome, with_data = job.run(call)
    notes = plan_copies(source, container, with_data).notes + describe_trouble(source, outcome)
    return Finished(path, notes + _describe_letters(outcome))


_SCRIPT = "subtitles.ass"


@dataclass(frozen=True, slots=True)
class Picture:
    """As it is shown, turned the right way up.

    width, height: pixels, square ones. is_even: whether both stored sides are even.
    bits: of a colour value.
    """

    width: int
    height: int
    is_even: bool
    bits: int


def look_at(source: Source) -> Picture:
    """What the first frame says; raises DamagedMediaError where there is none."""
    from av.error import FFmpegError

    number = source.picture.index
    with open_media(source.path) as (container, _):
        stream = container.streams[number]
        try:
            frame: Any = next(container.decode(stream))
        except (FFmpegError, OSError, StopIteration) as error:
            message = f"{source.path}: no picture can be decoded; get it again or repair it"
            raise DamagedMediaError(message, source.path) from error
        shape: Any = getattr(stream, "sample_aspect_ratio", None) or 1
        sides = [round(frame.width * shape), frame.height]
        if frame.rotation % 180:
            sides.reverse()
        is_even = frame.width % 2 == frame.height % 2 == 0
        return Picture(sides[0], sides[1], is_even, frame.format.components[0].bits)


def fit_style(picture: Picture, options: BurnOptions) -> Style:
    """The style for a picture of this shape, in pixels of one whose shorter side has 1080."""
    scale = _SHORT_SIDE / min(picture.width, picture.height)
    width, height = round(picture.width * scale), round(picture.height * scale)
    upright = {"size": _UPRIGHT_SIZE, "margin": round(height * _UPRIGHT_SHARE)}
    chosen = {
        "font": options.font,
        "size": options.size,
        "colour": options.colour,
        "outline": options.outline,
        "margin": options.margin,
    }
    values: dict[str, Any] = upright if height > width else {}
    values |= {name: value for name, value in chosen.items() if value is not None}
    return Style(
        alignment=_ALIGNMENTS[options.position],
        side_margin=round(width * _SIDE_SHARE),
        width=width,
        height=height,
        **values,
    )


def _script(track: SubtitleTrack, picture: Picture, options: BurnOptions) -> str:
    if track.script is not None and not options.changes_style:
        return track.script
    style = fit_style(picture, options)
    return write(track.subtitles, "ass", WriteOptions(words=options.words, style=style))


def _encoding(place: int, picture: Picture, options: BurnOptions) -> list[str]:
    """Of the output's stream `place`. ffmpeg turns the picture upright before the filters."""
    fonts = f":fontsdir={escape(str(options.fonts.absolute()))}" if options.fonts else ""
    # Without the size as shown, letters would be stretched with pixels that are not square.
    size = f":original_size={picture.width}x{picture.height}"
    filters = [f"ass={_SCRIPT}{size}{fonts}"]
    if not picture.is_even:
        filters.insert(0, "pad=ceil(iw/2)*2:ceil(ih/2)*2")  # or x264 refuses
    if picture.bits == 8:
        filters.append("format=yuv420p")  # the one that every player shows
    return [
        *(f"-c:{place}", "libx264", f"-crf:{place}", str(options.crf)),
        *(f"-preset:{place}", options.preset, f"-filter:{place}", ",".join(filters)),
        *(f"-enc_time_base:{place}", _TIME_BASE),
    ]


def escape(text: str) -> str:
    r"""The text as a filter's value: once for the list of values, once for the list of filters.

    From https://ffmpeg.org/ffmpeg-filters.html#Notes-on-filtergraph-escaping

    >>> print(escape("C:\\fonts, mine"))
    C\\:\\\\fonts\, mine
    """
    value = "".join(f"\\{char}" if char in "\\':" else char for char in text)
    return "".join(f"\\{char}" if char in "\\'[],;" else char for char in value)


def _describe_letters(outcome: Outcome) -> tuple[str, ...]:
    if not outcome.missing_letters:
        return ()
    letters = outcome.missing_letters
    shown = letters[:20] + ("..." if len(letters) > 20 else "")
    note = f"no font here has these characters, boxes stand for them: {shown}"
    return (f"{note}; install one, or name a folder of fonts",)
