"""What a video holds, and which of it goes into the new file, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from subvino.errors import NotMediaError, OptionError
from subvino.media import open_media

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_TEXT_CODECS = frozenset({"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"})
"""Subtitles that are text and can be made into each other; names of FFmpeg's decoders."""

_LISTS = frozenset({"concat", "dash", "hls", "imf", "rtsp", "sdp", "webm_dash_manifest"})
"""Formats that name other files, which ffmpeg would open."""


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file that subtitles can be put into.

    muxer: FFmpeg's name of it. subtitle_codec: what text becomes in it.
    kept_codecs: subtitles that it takes as they are; None: all but `mov_text`.
    """

    muxer: str
    subtitle_codec: str
    kept_codecs: frozenset[str] | None
    has_attachments: bool = False
    options: tuple[str, ...] = ()

    def keeps(self, codec: str) -> bool:
        """Whether subtitles of this codec are copied."""
        return codec != "mov_text" if self.kept_codecs is None else codec in self.kept_codecs


_FAST_START = ("-movflags", "+faststart")  # so that a browser can play what is still coming
_MP4 = Container("mp4", "mov_text", frozenset({"mov_text", "dvdsub"}), options=_FAST_START)

CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        ".mp4": _MP4,
        ".m4v": _MP4,
        ".mov": Container("mov", "mov_text", frozenset({"mov_text"}), options=_FAST_START),
        ".mkv": Container("matroska", "subrip", None, has_attachments=True),
        ".webm": Container("webm", "webvtt", frozenset({"webvtt"})),
    }
)
"""By the suffix of the file's name."""


def find_container(path: Path) -> Container:
    """The kind that a name asks for; raises OptionError that lists them all."""
    found = CONTAINERS.get(path.suffix.lower())
    if found is None:
        raise OptionError(f"{path}: end the output's name with one of {', '.join(CONTAINERS)}")
    return found


@dataclass(frozen=True, slots=True)
class SourceStream:
    """A stream of a video; codec: FFmpeg's name of its decoder, "" where it has none.

    is_made_anew: chapter titles and time codes, which ffmpeg writes from what it reads.
    """

    index: int
    kind: str
    codec: str
    is_default: bool
    is_cover: bool
    is_made_anew: bool

    def __str__(self) -> str:
        """As in "data stream 2"."""
        return f"{self.kind} stream {self.index}{f' ({self.codec})' if self.codec else ''}"


@dataclass(frozen=True, slots=True)
class Source:
    """A video; start: of its own time stamps, below 0 where an encoder's padding leads.

    demuxer: FFmpeg's name of the format. duration: seconds, None where it does not tell.
    """

    path: Path
    demuxer: str
    start: float
    duration: float | None
    streams: tuple[SourceStream, ...]

    @property
    def picture(self) -> SourceStream:
        """The first moving picture; raises NotMediaError."""
        for stream in self.streams:
            if stream.kind == "video" and not stream.is_cover:
                return stream
        raise NotMediaError(f"{self.path}: there is no picture in it", self.path)

    @property
    def has_data(self) -> bool:
        """Whether there is anything but picture, sound, subtitles and attachments."""
        return any(stream.kind in ("data", "unknown") for stream in self.streams)

    def input_arguments(self) -> list[str]:
        """How ffmpeg is told to read it: as what it is, opening nothing else.

        ffmpeg moves the first stamp to 0, as players do, which is media time; stamps below 0 are
        left where they are, since nothing there is shown.
        """
        offset = ["-itsoffset", f"{self.start:.6f}"] if self.start < 0 else []
        whitelist = ["-protocol_whitelist", "file"]
        return [*whitelist, "-f", self.demuxer, *offset, "-i", f"file:{self.path.absolute()}"]


def describe_source(path: Path) -> Source:
    """What the video holds. Raises InputError."""
    with open_media(path) as (container, info):
        names = container.format.name.split(",")
        if _LISTS.intersection(names):
            raise NotMediaError(f"{path}: a list of other files; give the video itself", path)
        return Source(
            path=path,
            demuxer=names[0],
            start=(container.start_time or 0) / 1e6,
            duration=info.duration,
            streams=tuple(_streams(container)),
        )


def _streams(container: InputContainer) -> Iterator[SourceStream]:
    for stream in container.streams:
        flags = stream.disposition
        yield SourceStream(
            index=stream.index,
            kind=stream.type,
            codec=stream.codec_context.name if stream.codec_context else "",
            is_default=bool(flags & flags.default),
            is_cover=bool(flags & flags.attached_pic),
            is_made_anew=stream.type == "data" and _is_made_anew(stream),
        )


def _is_made_anew(stream: Stream) -> bool:
    hidden = hasattr(stream, "discard") and stream.discard == type(stream.discard).all
    return hidden or "timecode" in stream.metadata


@dataclass(frozen=True, slots=True)
class Copies:
    """What of a source goes into the new file.

    arguments: for ffmpeg, the source being its first input. kept: in the new file's order.
    """

    arguments: tuple[str, ...]
    kept: tuple[SourceStream, ...]
    notes: tuple[str, ...]


def plan_copies(source: Source, container: Container, with_data: bool = True) -> Copies:
    """Everything that the container can hold, copied; text that it can't hold so, converted."""
    codecs = [(stream, _new_codec(stream, container, with_data)) for stream in source.streams]
    kept = [(stream, codec) for stream, codec in codecs if codec]
    arguments: list[str] = []
    for number, (stream, codec) in enumerate(kept):
        arguments += ["-map", f"0:{stream.index}", f"-c:{number}", codec]
    notes = [
        f"{source.path}: {stream} has no place in {container.muxer} and was left out"
        for stream, codec in codecs
        if not codec and not stream.is_made_anew
    ]
    notes += [
        f"{source.path}: {stream} became {codec}" for stream, codec in kept if codec != "copy"
    ]
    return Copies(("-copy_unknown", *arguments), tuple(stream for stream, _ in kept), tuple(notes))


def _new_codec(stream: SourceStream, container: Container, with_data: bool) -> str:
    """ "copy", the codec that it becomes, or "" where it is left out."""
    if stream.kind == "subtitle" and not container.keeps(stream.codec):
        return container.subtitle_codec if stream.codec in _TEXT_CODECS else ""
    if stream.kind == "attachment" and not container.has_attachments:
        return ""
    if stream.kind in ("data", "unknown"):
        fits = with_data and container.muxer in ("mp4", "mov") and not stream.is_made_anew
        return "copy" if fits else ""
    return "copy"
