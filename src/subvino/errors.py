"""Every error that subvino raises on purpose, as one tree.

Floor 0 of the road. An error carries data (path, device, wanted, found) and its message is one
line that says what to do next. The command prints that line; the server turns the class into a
status.

    SubvinoError
      InputError                      the media or subtitle file given
        MediaNotFoundError            (FileNotFoundError)
        NotMediaError                 (ValueError)
        NoAudioTrackError             (LookupError)
        AudioTrackError               (LookupError)   the track asked for is not there
        EmptyMediaError               (ValueError)    it opens but has no sound in it
        EncryptedMediaError           (PermissionError)
        DamagedMediaError             (ValueError)    part of it can't be read; `lost` seconds
        MediaPermissionError          (PermissionError)
        UrlError                      (OSError)
        SubtitleFileError             (ValueError)    a subtitle or transcript file
        ManifestError                 (ValueError)    an evaluation set's list of clips
        CalibrationError              (ValueError)    speech to calibrate with
      UnsureError                     (ValueError)    subtitles that no speech was found for
      OptionError                     (ValueError)    an option, or two that don't go together
      ModelError                      the weights
        ModelNotFoundError            (LookupError)
        CheckpointError               (ValueError)    files that are no Whisper checkpoint
        PickleRefusedError            (ValueError)
        DigestMismatchError           (ValueError)
        DownloadError                 (OSError)
      DeviceError                     (ValueError)    a device that is not there
      ClusterError                    (RuntimeError)  machines that can't be reached or used
      OutputError                     (OSError)       a file that can't be written
        DiskFullError
        OutputPermissionError         (PermissionError)
        OutputExistsError             (FileExistsError)
      JobBusyError                    another process does the same work
      MissingExtraError               (ImportError)   an optional package is needed
      RequestError                    what a server was asked for and does not do
        UnauthorizedError             (PermissionError)
        ForbiddenError                (PermissionError)  an address, or a page of another origin
        RequestTimeoutError           (TimeoutError)  it comes too slowly
        TooLargeError                 (ValueError)    more bytes or seconds than allowed
        TooManyRequestsError          at once, or waiting
        JobNotFoundError              (LookupError)
        JobNotReadyError              its result is not there yet
        JobCancelledError             it never will be
      ServerError                     what keeps a server from its work: stopped, or run twice
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class SubvinoError(Exception):
    """The root: catch it to catch everything that subvino raises on purpose."""

    def __str__(self) -> str:
        # OSError and KeyError format their arguments in ways of their own; ours is the message.
        return str(self.args[0]) if self.args else type(self).__name__


class InputError(SubvinoError):
    """An input that can't be used; `path` is the file or URL."""

    def __init__(self, message: str, path: str | Path) -> None:
        super().__init__(message)
        self.path = str(path)


class MediaNotFoundError(InputError, FileNotFoundError):
    """No file stands at the path."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path}: no such file; check the path", path)


class NotMediaError(InputError, ValueError):
    """FFmpeg finds no container or codec that it knows in the file."""


class NoAudioTrackError(InputError, LookupError):
    """The file opens but has no audio track; `tracks` describes those it has."""

    def __init__(self, path: str | Path, tracks: Sequence[str]) -> None:
        found = ", ".join(tracks) or "none at all"
        super().__init__(f"{path}: no audio track (tracks found: {found})", path)
        self.tracks = tuple(tracks)


class AudioTrackError(InputError, LookupError):
    """The audio track asked for is not in the file; `tracks` describes those that are."""

    def __init__(self, path: str | Path, wanted: str, tracks: Sequence[str]) -> None:
        super().__init__(
            f"{path}: no audio track {wanted!r}; use one of: {', '.join(tracks)}", path
        )
        self.wanted = wanted
        self.tracks = tuple(tracks)


class EmptyMediaError(InputError, ValueError):
    """The file, or its audio track, holds no samples."""


class EncryptedMediaError(InputError, PermissionError):
    """The audio is encrypted or protected by DRM."""


class DamagedMediaError(InputError, ValueError):
    """Part of the media can't be read.

    lost: how much, in seconds; None where it is not known.
    transcript: a `Transcript` of the rest, where `subvino.transcribe` made one.
    """

    def __init__(self, message: str, path: str | Path, lost: float | None = None) -> None:
        super().__init__(message, path)
        self.lost = lost
        self.transcript: object = None


class MediaPermissionError(InputError, PermissionError):
    """The file is there but may not be read."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path}: may not be read; check its permissions", path)


class UrlError(InputError, OSError):
    """A URL that can't be fetched."""


class SubtitleFileError(InputError, ValueError):
    """A subtitle or transcript file that can't be read."""


class ManifestError(InputError, ValueError):
    """A manifest of an evaluation set that can't be read."""


class CalibrationError(InputError, ValueError):
    """Data to calibrate with that holds no speech, or can't be had."""


class UnsureError(SubvinoError, ValueError):
    """Subtitles or a text, and no speech that they surely belong to."""


class OptionError(SubvinoError, ValueError):
    """An option with a value that can't be used."""


class ModelError(SubvinoError):
    """The weights can't be found, read or trusted."""


class ModelNotFoundError(ModelError, LookupError):
    """No source has the model; the message names the ways to get one."""


class CheckpointError(ModelError, ValueError):
    """Files that are not a Whisper checkpoint of a kind that subvino reads."""

    def __init__(self, message: str, path: str | Path) -> None:
        super().__init__(message)
        self.path = str(path)


class PickleRefusedError(CheckpointError):
    """A pickle, which could run any code when loaded; never opened."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{path}: a pickle can run any code when it is opened, so it is refused; "
            "use the checkpoint's safetensors or CTranslate2 files instead",
            path,
        )


class DigestMismatchError(ModelError, ValueError):
    """A file whose SHA-256 is not the catalogue's."""

    def __init__(self, path: str | Path, wanted: str, found: str) -> None:
        super().__init__(
            f"{path}: SHA-256 is {found}, expected {wanted}; delete the file and get it again"
        )
        self.path = str(path)
        self.wanted = wanted
        self.found = found


class DownloadError(ModelError, OSError):
    """A download that broke off or was refused."""


class DeviceError(SubvinoError, ValueError):
    """A device that OpenVINO does not see, or that can't run the model."""

    def __init__(self, wanted: str, available: Sequence[str]) -> None:
        super().__init__(f"device {wanted!r} is not available; use one of: {', '.join(available)}")
        self.wanted = wanted
        self.available = tuple(available)


class ClusterError(SubvinoError, RuntimeError):
    """A cluster that can't be reached, or whose workers can't do the work."""


class OutputError(SubvinoError, OSError):
    """A file that can't be written; `path` says which."""

    def __init__(self, message: str, path: str | Path) -> None:
        super().__init__(message)
        self.path = str(path)


class DiskFullError(OutputError):
    """No space left; what stood there before still does."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path}: the disk is full; free some space and run again", path)


class OutputPermissionError(OutputError, PermissionError):
    """The folder or file may not be written."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path}: may not be written; choose another --output-dir", path)


class OutputExistsError(OutputError, FileExistsError):
    """The output is there already and was not to be replaced."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path}: exists already; use --overwrite to replace it", path)


class JobBusyError(SubvinoError):
    """Another process is at work on the same media with the same options; `media` says which."""

    def __init__(self, media: str) -> None:
        super().__init__(f"{media}: another process is at work on it")
        self.media = media


class MissingExtraError(SubvinoError, ImportError):
    """An optional package is needed; the message is the pip command that brings it."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs an extra: pip install "subvino[{extra}]"')
        self.extra = extra


class RequestError(SubvinoError):
    """A request that the server refuses."""


class UnauthorizedError(RequestError, PermissionError):
    """The API key is missing or wrong."""


class ForbiddenError(RequestError, PermissionError):
    """What this server does for nobody, or not for a page of another origin."""


class RequestTimeoutError(RequestError, TimeoutError):
    """The request, or what it asks to be fetched, comes too slowly."""


class TooLargeError(RequestError, ValueError):
    """More bytes, or more seconds of media, than the server takes."""


class TooManyRequestsError(RequestError):
    """Too many requests at once, or too many jobs waiting; later it may go."""


class JobNotFoundError(RequestError, LookupError):
    """No job has this id; it may have been deleted, or its time is over."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id[:64]!r}; it may have been deleted")
        self.job_id = job_id


class JobNotReadyError(RequestError):
    """The job is not done, so that there is no result yet."""


class JobCancelledError(RequestError):
    """The job was cancelled, so that there will be no result."""


class ServerError(SubvinoError):
    """The server can't do its work: it is stopping, or another one has its folder."""
