"""What runs on the cluster's machines: a model, kept loaded, and what is asked of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from subvino.audio import Samples, WindowSound
from subvino.cluster.batching import BatchingRecognizer
from subvino.cluster.reading import MediaReader
from subvino.cluster.spans import Description, Failure, Media, Part, Span
from subvino.errors import InputError, SubvinoError
from subvino.journal import digest_code, digest_values
from subvino.models import digest_model, prepare_model
from subvino.pipeline import EngineOptions, load_transcriber
from subvino.recognizer import WindowResult

READERS = 2
"""Media files that a worker reads at once."""


class Worker:
    """A loaded model on one machine. Whatever is asked of it may be asked of another one again.

    Its methods don't wait for each other; errors raised on purpose come as `Failure`.
    """

    def __init__(self, model: str, options: EngineOptions) -> None:
        self._description: Description | Failure
        try:
            self._load(model, options)
        except SubvinoError as error:
            self._description = Failure.of(error)

    def _load(self, model: str, options: EngineOptions) -> None:
        transcriber = load_transcriber(model, options)
        recognizer = transcriber.recognizer
        folder = prepare_model(model, options.weights)
        self._recognizer = BatchingRecognizer(recognizer)
        self._media = MediaReader(transcriber)
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._description = Description(
            recognizer.name,
            recognizer.languages,
            digest_values(digest_code(), digest_model(folder)),
            recognizer.batch_size,
            socket.gethostname(),
        )

    async def describe(self) -> Description | Failure:
        """What it has loaded."""
        return self._description

    async def read(
        self, media: Media, first: int, n_windows: int
    ) -> tuple[Span | Failure | None, list[Samples]]:
        """See `MediaReader.read`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._media.read, media, first, n_windows)

    async def close(self, reading: str) -> None:
        """Read no more of a media file."""
        await asyncio.get_running_loop().run_in_executor(self._readers, self._media.close, reading)

    async def recognize(
        self, part: Part, samples: Sequence[Samples]
    ) -> list[WindowResult] | Failure:
        """The results of a part of a span; samples: of all windows of the span."""
        span = part.span
        if len(samples) != len(span.windows):
            return _changed()
        pairs = islice(zip(span.windows, samples, strict=True), part.start, None)
        sounds = [WindowSound(*pair) for pair in pairs]
        if tuple(sound.digest for sound in sounds) != span.digests[part.start :]:
            return _changed()
        try:
            return await asyncio.wrap_future(
                self._recognizer.recognize(sounds, part.options, part.after)
            )
        except SubvinoError as error:
            return Failure.of(error)

    async def detect_language(self, sounds: Sequence[WindowSound]) -> Mapping[str, float] | Failure:
        """See `Recognizer.detect_language`."""
        try:
            return await asyncio.wrap_future(self._recognizer.detect_language(sounds))
        except SubvinoError as error:
            return Failure.of(error)


def _changed() -> Failure:
    return Failure.of(InputError("it changed, or went, while it was heard; run again", ""))
