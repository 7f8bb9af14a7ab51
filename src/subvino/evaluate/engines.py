"""What can be evaluated: anything that makes a transcript of a file. Ours is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from subvino.errors import DamagedMediaError
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.transcript import Transcript


class Engine(Protocol):
    """Turns a media file into a transcript."""

    @property
    def name(self) -> str:
        """As the report calls it; no two engines of a report share one."""

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        """What is said in the file.

        language: code; None where the engine is to detect it.
        words: whether word times are asked for.
        """


class OpenedMedia(Protocol):
    """A transcript in the making, as `pipeline.TranscriptStream` is one."""

    def __iter__(self) -> Iterator[WindowResult]:
        """The results, as they come."""

    def error(self) -> DamagedMediaError | None:
        """What could not be read of the media."""

    def transcript(self) -> Transcript:
        """What has come so far."""


class MediaOpener(Protocol):
    """What `pipeline.Transcriber` does for us, without standing on its floor."""

    def open(self, media: str | Path, options: DecodingOptions | None = None) -> OpenedMedia:
        """The transcript of a media file as it is made."""


class SubvinoEngine:
    """This tool's own road, from file to transcript."""

    def __init__(
        self, name: str, transcriber: MediaOpener, options: DecodingOptions | None = None
    ) -> None:
        self._name = name
        self._transcriber = transcriber
        self._options = options or DecodingOptions()

    @property
    def name(self) -> str:
        """As the report calls it."""
        return self._name

    def transcribe(self, path: Path, language: str | None, *, words: bool) -> Transcript:
        """What is said in the file; a damaged file is an error, whatever could be read."""
        options = replace(self._options, language=language, words=words)
        stream = self._transcriber.open(path, options)
        for _ in stream:
            pass
        if (error := stream.error()) is not None:
            raise error
        return stream.transcript()
