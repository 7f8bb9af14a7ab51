"""What a media file holds: its tracks, and which of them to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from subvino.errors import AudioTrackError, NoAudioTrackError, NotMediaError
from subvino.languages import language_code

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.stream import Stream

_TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Formats that FFmpeg takes any text or data for, going by the file's name."""


_GUESSED = frozenset({"adp"})
"""Formats without a signature: FFmpeg goes by a pattern (adp: that bytes come in pairs) which the
samples of a WAV without its header show as well. Believed only where the file's name says so."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One audio track of a file.

    index: among the audio tracks, from 0; stream_index: among all streams.
    language: as `language_code` gives it.
    start: media time of its first sample, where the container says.
    duration: seconds, where the container says.
    """

    index: int
    stream_index: int
    language: str | None
    title: str | None
    codec: str
    sample_rate: int
    channels: int
    is_default: bool
    start: float | None = None
    duration: float | None = None

    def __str__(self) -> str:
        """As error messages name it: "1 (de, Commentary, aac)"."""
        parts = (self.language or "unknown language", self.title, self.codec)
        return f"{self.index} ({', '.join(part for part in parts if part)})"


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """The picture: pixels, and frames per second where the container says."""

    width: int
    height: int
    frame_rate: float | None


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A subtitle track inside a file; `index` is among the subtitle tracks."""

    index: int
    codec: str
    language: str | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file holds.

    container: FFmpeg's name of the format.
    duration: seconds, None where the file doesn't say.
    start: what the container's own stamps show at media time 0, seconds.
    tracks: every stream in words, for error messages.
    """

    path: Path
    container: str
    duration: float | None
    start: float
    audio: tuple[AudioTrack, ...]
    video: VideoInfo | None
    subtitles: tuple[SubtitleTrack, ...]
    tracks: tuple[str, ...]


def choose_audio_track(info: MediaInfo, wanted: str | None = None) -> AudioTrack:
    """The track asked for: its index from 0, or its language; None: the file's default.

    Raises NoAudioTrackError, AudioTrackError.
    """
    if not info.audio:
        raise NoAudioTrackError(info.path, info.tracks)
    fitting = _fitting_tracks(info.audio, wanted)
    if not fitting:
        raise AudioTrackError(info.path, str(wanted), [str(track) for track in info.audio])
    return next((track for track in fitting if track.is_default), fitting[0])


def _fitting_tracks(tracks: Sequence[AudioTrack], wanted: str | None) -> Sequence[AudioTrack]:
    if wanted is None:
        return tracks
    if wanted.strip().isdecimal():
        return [track for track in tracks if track.index == int(wanted)]
    return [track for track in tracks if track.language == language_code(wanted)]


def describe_media(path: Path, container: InputContainer) -> MediaInfo:
    """What FFmpeg says of an open file. Raises NotMediaError."""
    if container.format.name in _TEXT_ART or _is_misread(path, container):
        raise NotMediaError(f"{path}: not a media file that FFmpeg knows", path)
    start = max(0.0, (container.start_time or 0) / 1e6)
    return MediaInfo(
        path=path,
        container=container.format.name,
        duration=_positive((container.duration or 0) / 1e6),
        start=start,
        audio=tuple(
            _audio_track(index, stream, start)
            for index, stream in enumerate(container.streams.audio)
        ),
        video=_video_info(container),
        subtitles=tuple(
            SubtitleTrack(index, _codec(stream), _language(stream))
            for index, stream in enumerate(container.streams.subtitles)
        ),
        tracks=tuple(f"{stream.type} {_codec(stream)}" for stream in container.streams),
    )


def _is_misread(path: Path, container: InputContainer) -> bool:
    form = container.format
    return form.name in _GUESSED and path.suffix.lower().lstrip(".") not in form.extensions


def _audio_track(index: int, stream: av.AudioStream, zero: float) -> AudioTrack:
    context = stream.codec_context
    start = _seconds(stream, stream.start_time)
    return AudioTrack(
        index=index,
        stream_index=stream.index,
        language=_language(stream),
        title=stream.metadata.get("title", "").encode(errors="replace").decode() or None,
        codec=_codec(stream),
        sample_rate=context.sample_rate if context else 0,
        channels=context.channels if context else 0,
        is_default=bool(stream.disposition & stream.disposition.default),
        start=None if start is None else start - zero,
        duration=_seconds(stream, _length(stream)),
    )


def _length(stream: av.AudioStream) -> int | None:
    """What the container says it is, in ticks of the track."""
    if stream.duration is None and stream.container.format.name == "avi":
        # of samples of one size, FFmpeg keeps the length in the stream's header as their number
        return stream.frames or None
    return stream.duration


def _video_info(container: InputContainer) -> VideoInfo | None:
    """The first moving picture; the cover of a song is none."""
    for stream in container.streams.video:
        if stream.codec_context and not stream.disposition & stream.disposition.attached_pic:
            rate = stream.average_rate
            return VideoInfo(stream.width, stream.height, float(rate) if rate else None)
    return None


def _codec(stream: Stream) -> str:
    return stream.codec_context.name if stream.codec_context else "of an unknown codec"


def _language(stream: Stream) -> str | None:
    """The track's language; "und", "mul" and the like say that there is none to name."""
    code = language_code(stream.metadata.get("language", ""))
    return None if code in ("", "und", "mul", "mis", "zxx", "unk") else code


def _seconds(stream: Stream, ticks: int | None) -> float | None:
    return None if ticks is None or not stream.time_base else ticks * float(stream.time_base)


def _positive(value: float) -> float | None:
    return value if value > 0 else None
