"""What goes between the driver and its workers: media, their windows in spans, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subvino.audio import Window, WindowSound
from subvino.clip import Clip
from subvino.errors import DamagedMediaError, SubvinoError
from subvino.recognizer import Carry, DecodingOptions

SPAN_WINDOWS = 8
"""No fewer than are asked for the language of a file (`whisper.language.VOTES`), so that a file's
first span can tell it. Workers decode several spans at once, so that short ones cost nothing; 3 to
4 minutes of speech, 15 MB of sound."""


@dataclass(frozen=True, slots=True)
class Media:
    """Media as a worker reads it.

    place: a path, or the URL of a file on storage.
    digest: of the file at the path, as `journal.digest_media`; "" for a URL.
    options: because of which windows may be shorter.
    reading: a word for this reading of it: others may read the same.
    """

    place: str
    digest: str
    options: DecodingOptions
    audio_track: str | None
    clips: tuple[Clip, ...]
    reading: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error raised on purpose, in parts: not all of them can be pickled as they are."""

    kind: type[SubvinoError]
    args: tuple[Any, ...]
    data: Mapping[str, Any]

    @classmethod
    def of(cls, error: SubvinoError) -> Failure:
        """The parts of an error."""
        return cls(type(error), error.args, dict(error.__dict__))

    def error(self) -> SubvinoError:
        """The error again."""
        error = self.kind.__new__(self.kind)
        error.args = self.args
        error.__dict__.update(self.data)
        return error


@dataclass(frozen=True, slots=True)
class Span:
    """Windows of a media file that follow each other, without their samples.

    first: how many of the file's windows come before. digests: of each, with its samples.
    duration: of the media, as its container says.
    is_last: the media has no more windows; damage: what could then not be read of it.
    """

    first: int
    windows: tuple[Window, ...]
    digests: tuple[str, ...]
    duration: float | None
    is_last: bool
    damage: Failure | None = None


def make_span(
    sounds: list[WindowSound],
    first: int,
    duration: float | None,
    is_last: bool = False,
    damage: DamagedMediaError | None = None,
) -> Span:
    """The span of these windows."""
    return Span(
        first=first,
        windows=tuple(sound.window for sound in sounds),
        digests=tuple(sound.digest for sound in sounds),
        duration=duration,
        is_last=is_last,
        damage=None if damage is None else Failure.of(damage),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be recognized of a span: its windows from `start` on.

    after: what was heard before them, see `recognizer.FileWindows`.
    """

    span: Span
    start: int
    options: DecodingOptions
    after: Carry | None

    @property
    def n_windows(self) -> int:
        """How many there are."""
        return len(self.span.windows) - self.start


@dataclass(frozen=True, slots=True)
class Description:
    """What a worker has loaded: the model's name, and the languages it knows.

    software: a digest of its code and weights, which must be the same everywhere.
    batch_size: windows that it decodes at once. node: the machine's name.
    """

    name: str
    languages: tuple[str, ...]
    software: str
    batch_size: int
    node: str
