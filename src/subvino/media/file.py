"""A media file opened by FFmpeg, and what it means where that fails."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from subvino.containers import HEAD_SIZE, container_signature, is_broken_off, whole_boxes
from subvino.errors import (
    DamagedMediaError,
    EmptyMediaError,
    EncryptedMediaError,
    InputError,
    MediaNotFoundError,
    MediaPermissionError,
    NotMediaError,
)
from subvino.media import watchdog
from subvino.media.continuity import Continuity
from subvino.media.info import AudioTrack, MediaInfo, describe_media
from subvino.media.watchdog import Result, StalledError, Watchdog, WatchedFile

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_READ_OPTIONS = {
    "protocol_whitelist": "none",  # nothing but the file object we hand over
    "probesize": "33554432",  # sound that sets in late, behind a lot of picture
    "analyzeduration": "20000000",
}

_PROTECTED_TAGS = frozenset({"enca", "drms", "aavd"})
"""MP4 sample entries of protected sound: ISO/IEC 23001-7, Apple's FairPlay, Audible's."""


def probe(path: str | Path) -> MediaInfo:
    """What the file holds, without decoding it. Raises InputError."""
    with open_media(path) as (_, info):
        return info


@contextmanager
def open_media(path: str | Path) -> Iterator[tuple[InputContainer, MediaInfo]]:
    """The file as FFmpeg reads it, for what looks at more than the sound. Raises InputError."""
    with closing(MediaFile(Path(path))) as file:
        yield file.container, file.info


class MediaFile:
    """A file opened by FFmpeg.

    head: its first `HEAD_SIZE` bytes; size: in bytes.
    broken_off: the file's structure shows that it goes on where the file ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = _open_handle(path)
        self.watchdog = Watchdog(self._handle.close)
        try:
            self.size = self._run(lambda: self._handle.seek(0, os.SEEK_END))
            self.head = self._run(lambda: _head(self._handle))
            self.broken_off = self._run(partial(is_broken_off, self._handle))
            self.container = self._run(self._open)
            self.watchdog.clean_up = self._close
            self.info = self._run(lambda: describe_media(path, self.container))
        except BaseException:
            if not self.watchdog.stalled:
                self._handle.close()
            raise

    def close(self) -> None:
        """Close it, unless FFmpeg stalled and has it still in its hands."""
        with suppress(StalledError):
            self.watchdog.run(self._close)

    def _close(self) -> None:
        self.container.close()
        self._handle.close()

    def check_readable(self, track: AudioTrack) -> None:
        """Raises EncryptedMediaError, NotMediaError (a codec that FFmpeg has no decoder for)."""
        stream = self.container.streams[track.stream_index]
        if not stream.codec_context:
            message = f"{self.path}: audio track {track} is in a codec that FFmpeg can't decode"
            raise NotMediaError(f"{message}; convert it first", self.path)
        if _codec_tag(stream) in _PROTECTED_TAGS or "enc_key_id" in stream.metadata:
            raise encrypted_error(self.path)

    @property
    def lacks_header(self) -> bool:
        """Whether only frames are left of a file, in a form that wants a header before them."""
        return self.info.container == "flac" and not self.head.startswith((b"fLaC", b"ID3"))

    def continuity(self, track: AudioTrack) -> Continuity:
        """What tells whether sound of a track is missing between packets."""
        stream = self.container.streams[track.stream_index]
        number = stream.index if self.info.container == "avi" else stream.id
        file = WatchedFile(self._handle, self.watchdog)
        return Continuity(file, self.size, self.info.container, number)

    def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return self.watchdog.run(work)
        except StalledError:
            raise stalled_error(self.path) from None

    def _open(self) -> InputContainer:
        """The container; where the end of a file keeps FFmpeg from opening it, without that end."""
        import av

        try:
            return self._opened(None)
        except (av.error.FFmpegError, OSError) as error:
            end = whole_boxes(self._handle)
            if end is None:
                raise _open_error(self.path, self._handle) from error
        try:
            return self._opened(end)
        except (av.error.FFmpegError, OSError) as error:
            raise _open_error(self.path, self._handle) from error

    def _opened(self, size: int | None) -> InputContainer:
        import av

        # tags in Latin-1 are common: PyAV 19 lets them pass, the ones before refuse the file
        older: dict[str, Any] = {"metadata_errors": "surrogateescape"}
        if int(av.__version__.split(".")[0]) >= 19:
            older = {}
        self._handle.seek(0)
        file: Any = WatchedFile(self._handle, self.watchdog, size)
        container: InputContainer = av.open(file, "r", options=_READ_OPTIONS, **older)
        return container


def _codec_tag(stream: Stream) -> str | None:
    """The container's name for the codec, where it is letters; AVI has numbers (AAC: 255)."""
    try:
        return stream.codec_context.codec_tag
    except UnicodeDecodeError:  # PyAV takes it for ASCII
        return None


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


def stalled_error(path: Path) -> DamagedMediaError:
    """FFmpeg, or the disk, has stood still for too long."""
    message = f"{path}: can't be read, nothing moved for {watchdog.STALL_SECONDS:.0f} s"
    return DamagedMediaError(f"{message}; copy it to a disk that answers, or convert it", path)


def encrypted_error(path: Path) -> EncryptedMediaError:
    """The sound is protected and we have no key."""
    return EncryptedMediaError(f"{path}: the sound is encrypted; give a file without DRM", path)
