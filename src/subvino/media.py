"""Media file → sound: what is in it, which track to take, and its samples in media time.

Floor 1 of the road. PyAV (FFmpeg) does the reading. A file is a stream here: blocks of some
seconds come out one after the other, whatever its length.

Media time 0 is the start of the presentation, as players show it: a container whose stamps begin
at 1.4 s (MPEG-TS) begins at 0, and a track that starts later than the others keeps its delay.
Stamps below 0 are encoder padding in front of the sound, which is cut.

A file is hostile. FFmpeg reads it through a Python file object and may open nothing else, so that
a playlist in disguise reaches neither other files nor the network.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from subvino.audio import SAMPLE_RATE, Audio, Samples
from subvino.containers import HEAD_SIZE, container_signature, declared_size, has_sample_count
from subvino.errors import (
    AudioTrackError,
    DamagedMediaError,
    EmptyMediaError,
    EncryptedMediaError,
    InputError,
    MediaNotFoundError,
    MediaPermissionError,
    NoAudioTrackError,
    NotMediaError,
)
from subvino.languages import language_code
from subvino.timeline import JITTER, Placement, Timeline, is_stray

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.stream import Stream

BLOCK_SECONDS = 20.0
"""Length of the blocks that `AudioStream` gives."""

MIN_LOST = 0.1
"""Seconds. Less than this that can't be read is no word lost: a codec frame is 20 to 40 ms."""

_CHUNK = 1 << 17
"""Samples a channel that are mixed and resampled at once: few calls, little memory."""

_RATES = range(1_000, 768_001)
"""Hz. A sample rate outside is a damaged header, and the resampler's filter would grow with it."""

_MAX_FAILURES = 1_000
"""Read errors after which a file is given up; each one skips ahead."""

_READ_OPTIONS = {
    "protocol_whitelist": "none",  # nothing but the file object we hand over
    "probesize": "33554432",  # sound that sets in late, behind a lot of picture
    "analyzeduration": "20000000",
}

_TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Formats that FFmpeg takes any text or data for, going by the file's name."""

_NO_STAMPS = frozenset({"aac", "ac3", "amr", "dts", "eac3", "loas", "mp3", "truehd"})
"""Formats that are nothing but frames. FFmpeg makes up stamps for them, which go wrong where the
sample rate changes, so only the first one counts (an MP3's skips the encoder's delay)."""

_PROTECTED_TAGS = frozenset({"enca", "drms", "aavd"})
"""MP4 sample entries of protected sound: ISO/IEC 23001-7, Apple's FairPlay, Audible's."""


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


def probe(path: str | Path) -> MediaInfo:
    """What the file holds, without decoding it. Raises InputError."""
    with open_media(path) as (_, info):
        return info


@contextmanager
def open_media(path: str | Path) -> Iterator[tuple[InputContainer, MediaInfo]]:
    """The file as FFmpeg reads it, for what looks at more than the sound. Raises InputError."""
    with closing(_MediaFile(Path(path))) as file:
        yield file.container, file.info


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


def read_audio(
    path: str | Path, track: str | None = None, block: float = BLOCK_SECONDS
) -> AudioStream:
    """The sound of a file as a stream of blocks of `block` seconds, 16 kHz mono, in media time.

        with read_audio("talk.mp4") as stream:
            for audio in stream:
                ...
            if error := stream.error():
                print(error)

    track: as `choose_audio_track` takes it. Raises InputError, here and while it is read.
    """
    return AudioStream(Path(path), track, block)


class AudioStream:
    """The blocks of one audio track, in order, without holes: `Audio.end` is the next `start`.

    Stretches that the file has no sound for are silent; `gaps` tells where. What could not be
    read is known at the end: `lost`, `damage`, `error()`. It can be read through once.
    """

    def __init__(self, path: Path, track: str | None, block: float) -> None:
        self._file = _MediaFile(path)
        try:
            self.info = self._file.info
            self.track = choose_audio_track(self.info, track)
            self._file.check_readable(self.track)
        except BaseException:
            self._file.close()
            raise
        self._block = round(block * SAMPLE_RATE)
        self._report = _Report()

    def __enter__(self) -> AudioStream:
        """Itself; the file is closed on leaving."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Audio]:
        """The blocks; raises InputError where nothing at all can be read."""
        from av.error import FFmpegError

        frames = _steady(_decoded(self._file, self.track, self._report))
        pieces = _samples(frames, self.info, self._report)
        try:
            for start, samples in _blocks(pieces, self._block):
                yield Audio(samples, start / SAMPLE_RATE)
        except FFmpegError as error:  # the resampler refuses a format that no decoder should give
            path = self.info.path
            message = f"{path}: the sound can't be converted ({error.strerror})"
            raise DamagedMediaError(message, path) from error
        self._check_end()

    def _check_end(self) -> None:
        if not self._report.end:
            raise self._nothing_heard()
        end = self._report.end
        missing = _missing_seconds(self._file, self.track, end)
        if missing > MIN_LOST:
            self._report.missing = missing
            self._report.count(f"the file breaks off after {end:.1f} s", end)

    def _nothing_heard(self) -> InputError:
        path = self.info.path
        if self._report.kinds:
            what = "; ".join(self.damage)
            return DamagedMediaError(f"{path}: no sound can be read ({what})", path)
        return EmptyMediaError(f"{path}: audio track {self.track} holds no sound", path)

    @property
    def lost(self) -> float:
        """Seconds of sound that could not be read, as far as the file tells; 0 before the end."""
        return self._report.lost + self._report.missing

    @property
    def gaps(self) -> tuple[tuple[float, float], ...]:
        """(start, end) of the stretches without sound that were filled with silence."""
        return tuple(self._report.gaps)

    @property
    def damage(self) -> tuple[str, ...]:
        """What was wrong with the file, one phrase for each kind of damage."""
        return self._report.phrases()

    def error(self) -> DamagedMediaError | None:
        """The damage as an error, when all is read; None if too little is lost to hold a word."""
        if self.lost < MIN_LOST:
            return None
        path = self.info.path
        what = "; ".join(self.damage)
        message = f"{path}: {self.lost:.1f} s of sound could not be read ({what})"
        return DamagedMediaError(f"{message}; the rest was", path, self.lost)


# --- the file


class _MediaFile:
    """A file opened by FFmpeg."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = _open_handle(path)
        try:
            self.container = _open_container(path, self._handle)
            self.info = _describe(path, self.container)
        except BaseException:
            self._handle.close()
            raise

    def close(self) -> None:
        self.container.close()
        self._handle.close()

    def head(self) -> bytes:
        return _head(self._handle)

    def check_readable(self, track: AudioTrack) -> None:
        """Raises EncryptedMediaError, NotMediaError (a codec that FFmpeg has no decoder for)."""
        stream = self.container.streams[track.stream_index]
        if not stream.codec_context:
            message = f"{self.path}: audio track {track} is in a codec that FFmpeg can't decode"
            raise NotMediaError(f"{message}; convert it first", self.path)
        if stream.codec_context.codec_tag in _PROTECTED_TAGS or "enc_key_id" in stream.metadata:
            raise _encrypted(self.path)


def _open_handle(path: Path) -> BinaryIO:
    """The file opened for reading; only a regular file that has something in it."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise NotMediaError(f"{path}: a folder; give the files in it", path)
        if not stat.S_ISREG(status.st_mode):
            raise NotMediaError(f"{path}: not a regular file; save the media in a file first", path)
        if status.st_size == 0:
            raise EmptyMediaError(f"{path}: the file is empty; get it again", path)
        return path.open("rb")
    except InputError:
        raise
    except PermissionError as error:
        raise MediaPermissionError(path) from error
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise MediaNotFoundError(path) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise NotMediaError(f"{path}: can't be opened ({reason})", path) from error


def _open_container(path: Path, handle: BinaryIO) -> InputContainer:
    import av

    # tags in Latin-1 are common: PyAV 19 lets them pass, the ones before refuse the file
    older: dict[str, Any] = {"metadata_errors": "surrogateescape"}
    if int(av.__version__.split(".")[0]) >= 19:
        older = {}
    try:
        container: InputContainer = av.open(handle, "r", options=_READ_OPTIONS, **older)
    except (av.error.FFmpegError, OSError) as error:
        raise _open_error(path, handle) from error
    return container


def _open_error(path: Path, handle: BinaryIO) -> InputError:
    """What FFmpeg's refusal means, told by how the file begins."""
    name = container_signature(_head(handle))
    if name is None:
        return NotMediaError(f"{path}: not a media file that FFmpeg knows", path)
    message = f"{path}: a {name} file whose header or index is damaged or cut off"
    return DamagedMediaError(f"{message}; get it again or repair it", path)


def _head(handle: BinaryIO) -> bytes:
    handle.seek(0)
    return handle.read(HEAD_SIZE)


def _encrypted(path: Path) -> EncryptedMediaError:
    return EncryptedMediaError(f"{path}: the sound is encrypted; give a file without DRM", path)


# --- what is in it


def _describe(path: Path, container: InputContainer) -> MediaInfo:
    if container.format.name in _TEXT_ART:
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
        duration=_seconds(stream, stream.duration),
    )


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


# --- packets and frames


@dataclass(slots=True)
class _Report:
    """What went wrong while a track was read.

    kinds: what → (how often, media time of the first).
    failing: seconds that could not be decoded since the last good frame; None if nothing failed.
    """

    end: float = 0.0
    lost: float = 0.0
    missing: float = 0.0
    failing: float | None = None
    gaps: list[tuple[float, float]] = field(default_factory=list)
    kinds: dict[str, tuple[int, float]] = field(default_factory=dict)

    def count(self, kind: str, at: float) -> None:
        count, first = self.kinds.get(kind, (0, at))
        self.kinds[kind] = (count + 1, first)

    def fail(self, kind: str, seconds: float) -> None:
        self.count(kind, self.end)
        self.failing = (self.failing or 0.0) + seconds

    def take_failing(self) -> float | None:
        """`failing`, counted anew from here."""
        failing, self.failing = self.failing, None
        return failing

    def phrases(self) -> tuple[str, ...]:
        return tuple(
            kind if count == 1 else f"{count} times: {kind}, first at {first:.1f} s"
            for kind, (count, first) in self.kinds.items()
        )


@dataclass(frozen=True, slots=True)
class _Frame:
    """A decoded frame, the media time it claims (None: none) and its length, seconds.

    failing: as in `_Report`, between the frame before it and this one.
    """

    frame: av.AudioFrame
    stamp: float | None
    duration: float
    failing: float | None = None


def _packets(
    container: InputContainer, stream: av.AudioStream, report: _Report
) -> Iterator[av.Packet[av.AudioStream]]:
    """The track's packets, past read errors: each call of demux goes on where the last stopped."""
    from av.error import FFmpegError

    for _ in range(_MAX_FAILURES):
        try:
            yield from container.demux(stream)
        except (FFmpegError, OSError):  # noqa: PERF203
            report.fail("part of the file can't be read", 0.0)
        except IndexError:  # PyAV's way to end a file in which streams turned up later
            return
        else:
            return


def _decoded(file: _MediaFile, track: AudioTrack, report: _Report) -> Iterator[_Frame]:
    """The track's frames; what can't be decoded is counted and left out."""
    stream = file.container.streams.audio[track.index]
    _discard_others(file.container, stream)
    tick = float(stream.time_base or 0)
    has_stamps = True
    for frame in _decode(_packets(file.container, stream, report), file.path, tick, report):
        if frame.sample_rate not in _RATES:
            report.fail(f"a sample rate of {frame.sample_rate} Hz", 0.0)
        elif frame.samples:
            has_stamp = has_stamps and frame.pts is not None
            stamp = (frame.pts or 0) * tick - file.info.start if has_stamp else None
            yield _Frame(frame, stamp, frame.samples / frame.sample_rate, report.take_failing())
            has_stamps = file.info.container not in _NO_STAMPS
    report.lost += report.failing or 0.0


def _decode(
    packets: Iterator[av.Packet[av.AudioStream]], path: Path, tick: float, report: _Report
) -> Iterator[av.AudioFrame]:
    from av.error import FFmpegError

    for packet in packets:
        try:
            yield from packet.decode()
        except FFmpegError as error:  # noqa: PERF203
            if packet.has_sidedata("encryption_info"):  # ISO/IEC 23001-7, and we have no key
                raise _encrypted(path) from error
            report.fail("sound that can't be decoded", (packet.duration or 0) * tick)


def _discard_others(container: InputContainer, stream: av.AudioStream) -> None:
    """Let the demuxer skip over the picture, which is most of the file."""
    for other in container.streams:
        if other.index != stream.index and hasattr(other, "discard"):  # since PyAV 17
            other.discard = type(other.discard).all


def _steady(frames: Iterator[_Frame]) -> Iterator[_Frame]:
    """The same frames, single stray stamps put right."""
    end: float | None = None
    held: _Frame | None = None
    for frame in frames:
        if held is not None:
            held = _corrected(held, end, frame.stamp)
            end = None if held.stamp is None else held.stamp + held.duration
            yield held
        held = frame
    if held is not None:
        yield held


def _corrected(frame: _Frame, end: float | None, following: float | None) -> _Frame:
    if end is None or frame.stamp is None:
        return frame
    if not is_stray(end, frame.stamp, frame.duration, following):
        return frame
    return replace(frame, stamp=end)


# --- samples


def _samples(frames: Iterator[_Frame], info: MediaInfo, report: _Report) -> Iterator[Samples]:
    """16 kHz mono pieces of any length that follow each other without holes from media time 0."""
    timeline = Timeline(info.duration)
    run: _Run | None = None
    end = 0
    for frame in frames:
        placement = _place(frame, timeline, report)
        if placement.cut >= frame.duration:
            continue
        if run is None or not placement.contiguous or not run.takes(frame.frame):
            if run is not None:
                yield from run.finish()
                end = run.end
            run = _Run(frame.frame, placement.start, max(end, _index(placement.start)))
            yield from _silence(run.first - end)
        yield from run.write(frame.frame, placement.cut)
    if run is not None:
        yield from run.finish()


def _place(frame: _Frame, timeline: Timeline, report: _Report) -> Placement:
    before, stamp = timeline.position, frame.stamp
    if frame.failing is not None:
        timeline.expect_loss()
        stamp = before + frame.failing if stamp is None else stamp
    placement = timeline.place(stamp, frame.duration)
    if frame.failing is not None:
        report.lost += placement.silence
    if placement.silence > JITTER and before:
        report.gaps.append((before, placement.start))
    if placement.jumped:
        report.count("time stamps that jump", before)
    report.end = timeline.position
    return placement


class _Run:
    """Frames of one format that follow each other: mixed down and resampled as one signal.

    first: index of its first sample at 16 kHz; end: of the sample after the last given out.
    """

    def __init__(self, frame: av.AudioFrame, start: float, first: int) -> None:
        import av

        self.first = self.end = first
        self._start = start
        self._rate = frame.sample_rate
        self._format = _format(frame)
        self._weights = channel_weights([channel.name for channel in frame.layout.channels])
        self._fifo = av.AudioFifo()
        self._received = 0
        self._resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE)

    def takes(self, frame: av.AudioFrame) -> bool:
        return _format(frame) == self._format

    def write(self, frame: av.AudioFrame, cut: float) -> Iterator[Samples]:
        frame.pts = None  # the queue would insist on unbroken stamps
        self._fifo.write(frame)
        n_cut = round(cut * self._rate)
        if n_cut:
            self._fifo.read(n_cut, partial=True)
        self._received += frame.samples - n_cut
        if self._fifo.samples >= _CHUNK:
            yield self._resampled(self._fifo.read())

    def finish(self) -> Iterator[Samples]:
        """What is still inside; the run is then as long as its frames were."""
        yield self._resampled(self._fifo.read())
        room = max(0, _index(self._start + self._received / self._rate) - self.end)
        tail = self._flushed()[:room]
        self.end += room
        yield np.pad(tail, (0, room - len(tail)))

    def _resampled(self, frame: av.AudioFrame | None) -> Samples:
        if frame is None:
            return np.zeros(0, np.float32)
        mono = mix_down(_planes(frame), self._weights)
        samples = mono if self._rate == SAMPLE_RATE else self._push(_mono_frame(mono, self._rate))
        self.end += len(samples)
        return _bounded(samples)

    def _flushed(self) -> Samples:
        if self._rate == SAMPLE_RATE or not self._received:
            return np.zeros(0, np.float32)
        return _bounded(self._push(None))

    def _push(self, frame: av.AudioFrame | None) -> Samples:
        """Through FFmpeg's resampler, whose output sample 0 stands at input sample 0."""
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0), *pieces], dtype=np.float32)


def _format(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _index(time: float) -> int:
    return round(time * SAMPLE_RATE)


def _mono_frame(samples: Samples, rate: int) -> av.AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def _planes(frame: av.AudioFrame) -> Samples:
    """float32 (channels, n), integer formats scaled to [-1, 1)."""
    n_channels = len(frame.layout.channels)
    if frame.format.name.startswith("s64") or (frame.format.is_planar and n_channels >= 8):
        frame = _packed(frame)
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, n_channels).T
    planes = array.astype(np.float32)
    if array.dtype.kind == "f":
        return planes
    planes *= 2.0 / 256**array.itemsize
    return planes - np.float32(1.0) if array.dtype.kind == "u" else planes


def _packed(frame: av.AudioFrame) -> av.AudioFrame:
    """The same frame in a format that PyAV can hand to NumPy.

    It has no arrays of 64-bit integers, and from eight planes on it reads behind the last one
    (PyAV 18.1: `AudioFrame.planes` looks for a null that is not there) and crashes.
    """
    import av

    return av.AudioResampler("flt", frame.layout.name, frame.sample_rate).resample(frame)[0]


_LEVELS = {"FL": 0.7071, "FR": 0.7071, "FC": 1.0, "LFE": 0.0, "LFE2": 0.0} | dict.fromkeys(
    ("BL", "BR", "BC", "SL", "SR", "FLC", "FRC", "DL", "DR", "WL", "WR"), 0.5
)
"""How much of each channel goes into the mix: ITU-R BS.775-4, annex 4, table 2 (to one channel).
Speech in films is in the centre (FC)."""


def channel_weights(names: Sequence[str]) -> Samples:
    """The share of each channel in the mix, float32 (channels,), summing to 1: nothing clips.

    names: as FFmpeg has them ("FL", "FR", ...); where one isn't known all count the same.
    """
    levels = np.array([_LEVELS.get(name, np.nan) for name in names], np.float32)
    if not np.isfinite(levels).all() or not levels.any():
        levels = np.ones(len(names), np.float32)
    shares: Samples = levels / levels.sum(dtype=np.float32)
    return shares


def mix_down(planes: Samples, weights: Samples) -> Samples:
    """One channel, float32 (n,), from (channels, n).

    Two channels that cancel each other out (one was wired the wrong way round) sound well in a
    room and vanish in a mix; the first one is taken then.
    """
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    mono = weights @ planes
    if len(planes) == 2 and np.vdot(mono, mono) < 0.01 * np.vdot(planes[0], planes[0]):
        mono = planes[0]
    return np.ascontiguousarray(mono, np.float32)


def _bounded(samples: Samples) -> Samples:
    """In [-1, 1]; a codec's overshoot is clipped and what is no number (a hostile file) is 0."""
    if not np.isfinite(np.sum(samples)):
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return samples.clip(-1.0, 1.0)


def _silence(n: int) -> Iterator[Samples]:
    """Zeros in pieces, since a gap may last for hours."""
    for first in range(0, n, _CHUNK):
        yield np.zeros(min(_CHUNK, n - first), np.float32)


def _blocks(pieces: Iterator[Samples], n: int) -> Iterator[tuple[int, Samples]]:
    """The same samples in blocks of n (the last may be shorter), with the index of their first."""
    parts: list[Samples] = []
    first = have = 0
    for piece in pieces:
        while len(piece):
            part, piece = piece[: n - have], piece[n - have :]
            parts.append(part)
            have += len(part)
            if have == n:
                yield first, np.concatenate(parts)
                parts, first, have = [], first + n, 0
    if have:
        yield first, np.concatenate(parts)


# --- what is missing at the end


def _missing_seconds(file: _MediaFile, track: AudioTrack, end: float) -> float:
    """Seconds of the track that its file announces and does not have; 0 where it doesn't say."""
    head, info = file.head(), file.info
    if track.duration and (info.container.startswith("mov") or has_sample_count(head)):
        return (track.start or 0.0) + track.duration - end
    wanted, found = declared_size(head), file.path.stat().st_size
    if wanted is None or wanted <= found:
        return 0.0
    if info.duration and info.container.startswith("matroska"):
        return info.duration - end
    return end * (wanted - found) / found  # FFmpeg shortens RIFF's duration to what is there
