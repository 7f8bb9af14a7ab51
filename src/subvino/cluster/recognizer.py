"""A recognizer whose windows are recognized by the workers of a cluster."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial

from subvino.audio import WindowSound
from subvino.cluster.pool import Detecting, Hearing, Pool
from subvino.cluster.sources import DistantSound
from subvino.cluster.spans import Part
from subvino.errors import SubvinoError
from subvino.recognizer import Carry, DecodingOptions, FileWindows, WindowResult

PATIENCE = 0.05
"""Seconds after which it is looked whether somebody has read on, while workers have room."""

LONG_PATIENCE = 0.5
"""Seconds after which it is looked whether there are more workers, while none has room."""


class ClusterRecognizer:
    """`Recognizer` on a pool of workers, for windows that are `DistantSound`."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._described = pool, pool.describe()

    @property
    def name(self) -> str:
        """The model's."""
        return self._described.name

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it knows."""
        return self._described.languages

    @property
    def batch_size(self) -> int:
        """Of a worker."""
        return self._described.batch_size

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        """As `Recognizer.detect_language`, by one of the workers."""
        heard: Mapping[str, float] = self._pool.ask(Detecting(tuple(sounds))).result()
        return heard

    def recognize(
        self,
        sounds: Iterable[WindowSound],
        options: DecodingOptions,
        after: Carry | None = None,
    ) -> Iterator[WindowResult]:
        """As `Recognizer.recognize`."""
        for _, result in self.recognize_many([FileWindows(sounds, after)], options):
            if result is not None:
                yield result

    def recognize_many(
        self, files: Iterable[FileWindows], options: DecodingOptions
    ) -> Iterator[tuple[int, WindowResult | None]]:
        """As `Recognizer.recognize_many`."""
        is_told = options.language is not None or len(self.languages) == 1
        return _Run(self._pool, options, is_told).results(iter(files))


class _OpenFile:
    """A file whose windows are being recognized.

    What a part depends on decides how much goes on at once: with a language that is known, parts
    are independent; where it is to be found out, the first tells it to the others; where each
    window depends on the one before, the parts come one after the other.

    asked: the answers that are waited for, in order. is_read: there are no more windows.
    """

    def __init__(
        self, number: int, windows: FileWindows, options: DecodingOptions, is_told: bool
    ) -> None:
        self.number, self._windows, self._options = number, windows, options
        self._sounds = iter(windows.sounds)
        self._is_chain = options.multilingual or options.condition_on_previous
        self._after = windows.after
        self._is_told = is_told or windows.after is not None
        self.asked: deque[Future[list[WindowResult]]] = deque()
        self.is_read = False

    @property
    def may_send(self) -> bool:
        """Whether another part can be asked for, as far as it depends on the others."""
        waits = (self._is_chain or not self._is_told) and self.asked
        return not (self.is_read or waits)

    @property
    def is_ready(self) -> bool:
        """Whether its next windows come without waiting."""
        return self._windows.is_ready()

    def next_hearing(self) -> Hearing | None:
        """What is to be asked next: the rest of a span; None at the end."""
        first: DistantSound | None = None
        for sound in self._sounds:
            assert isinstance(sound, DistantSound)  # noqa: S101 - our own bug
            first = first or sound
            if sound.ends_span:
                break
        if first is None:
            self.is_read = True
            return None
        held = first.held
        part = Part(held.span, first.place, self._options, self._after)
        return Hearing(part, held.sounds, held.media, held.seat)

    def take(self) -> Iterator[WindowResult]:
        """The results that are next in order, as far as they are there."""
        while self.asked and self.asked[0].done():
            try:
                results = self.asked.popleft().result()
            except SubvinoError as error:
                self._windows.fail(error)
                self.asked.clear()
                self.is_read = True
                return
            if self._is_chain or not self._is_told:
                self._after, self._is_told = results[-1].carry, True
            yield from results


class _Run:
    """The files of one call of `recognize_many`."""

    def __init__(self, pool: Pool, options: DecodingOptions, is_told: bool) -> None:
        self._pool, self._options, self._is_told = pool, options, is_told
        self._open: dict[int, _OpenFile] = {}
        self._answered: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._n_files = 0
        self._has_more = True

    def results(self, files: Iterator[FileWindows]) -> Iterator[tuple[int, WindowResult | None]]:
        while self._has_more or self._open:
            file = self._choose(files)
            if file is not None:
                self._send(file)
            for number in self._answers(0 if file is not None else self._patience):
                if number in self._open:
                    yield from self._take(self._open[number])

    @property
    def _has_room(self) -> bool:
        return self._pool.has_room(self._options.batch_size)

    @property
    def _patience(self) -> float:
        return PATIENCE if self._has_room else LONG_PATIENCE

    def _take(self, file: _OpenFile) -> Iterator[tuple[int, WindowResult | None]]:
        for result in file.take():
            yield file.number, result
        if file.is_read and not file.asked:
            del self._open[file.number]
            yield file.number, None

    def _answers(self, patience: float) -> Iterator[int]:
        """The files that something became of; waits for the first as long as told."""
        try:
            yield self._answered.get(timeout=patience) if patience else self._answered.get_nowait()
            while True:
                yield self._answered.get_nowait()
        except queue.Empty:
            return

    def _choose(self, files: Iterator[FileWindows]) -> _OpenFile | None:
        """The first file that can send something while there is room for it, or a new one."""
        if not self._has_room:
            return None
        n_reading = 0
        for file in self._open.values():
            if file.may_send:
                if file.is_ready:
                    return file
                n_reading += 1
        if n_reading < self._pool.n_workers and self._has_more:
            self._begin(files)
        return None

    def _begin(self, files: Iterator[FileWindows]) -> None:
        windows = next(files, None)
        if windows is None:
            self._has_more = False
            return
        file = _OpenFile(self._n_files, windows, self._options, self._is_told)
        self._open[file.number] = file
        self._n_files += 1
        self._answered.put(file.number)  # to look again at once

    def _send(self, file: _OpenFile) -> None:
        hearing = file.next_hearing()
        if hearing is None:
            self._answered.put(file.number)
            return
        future = self._pool.ask(hearing)
        file.asked.append(future)
        future.add_done_callback(partial(_tell, self._answered, file.number))


def _tell(answered: queue.SimpleQueue[int], number: int, future: Future[object]) -> None:
    del future
    answered.put(number)
