"""A worker's decoder: what comes while others are decoded joins their batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from subvino.audio import WindowSound
from subvino.recognizer import Carry, DecodingOptions, FileWindows, Recognizer, WindowResult


@dataclass(slots=True)
class _Request:
    """Windows and how they become text; options: None asks for their language only."""

    sounds: Sequence[WindowSound]
    options: DecodingOptions | None
    after: Carry | None = None
    results: list[WindowResult] = field(default_factory=list)
    future: Future[Any] = field(default_factory=Future)


class _Arrivals(Iterator[FileWindows]):
    """What waits at the front with the same options; nothing more while something else is there.

    taken: the requests that are being decoded, by number.
    """

    def __init__(self, waiting: deque[_Request], options: DecodingOptions) -> None:
        self._waiting, self._options = waiting, options
        self._n_taken = 0
        self.taken: dict[int, _Request] = {}

    def __next__(self) -> FileWindows:
        if not self._waiting or self._waiting[0].options != self._options:
            raise StopIteration
        request = self.taken[self._n_taken] = self._waiting.popleft()
        self._n_taken += 1
        return FileWindows(request.sounds, request.after)


class BatchingRecognizer:
    """A recognizer that many ask at once; one thread decodes the windows of all in one batch."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="decoder", daemon=True).start()

    def recognize(
        self, sounds: Sequence[WindowSound], options: DecodingOptions, after: Carry | None
    ) -> Future[list[WindowResult]]:
        """The windows' results."""
        return self._ask(_Request(sounds, options, after))

    def detect_language(self, sounds: Sequence[WindowSound]) -> Future[dict[str, float]]:
        """See `Recognizer.detect_language`."""
        return self._ask(_Request(sounds, None))

    def _ask(self, request: _Request) -> Future[Any]:
        with self._changed:
            self._waiting.append(request)
            self._changed.notify()
        return request.future

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            options = self._waiting[0].options
            if options is None:
                self._detect(self._waiting.popleft())
            else:
                self._decode(options)

    def _detect(self, request: _Request) -> None:
        try:
            request.future.set_result(dict(self._recognizer.detect_language(request.sounds)))
        except Exception as error:  # noqa: BLE001  belongs to who asked
            request.future.set_exception(error)

    def _decode(self, options: DecodingOptions) -> None:
        arrivals = _Arrivals(self._waiting, options)
        try:
            for number, result in self._recognizer.recognize_many(arrivals, options):
                if result is not None:
                    arrivals.taken[number].results.append(result)
                else:
                    request = arrivals.taken.pop(number)
                    request.future.set_result(request.results)
        except Exception as error:  # noqa: BLE001  belongs to who asked
            for request in arrivals.taken.values():
                request.future.set_exception(error)
