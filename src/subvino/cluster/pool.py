"""Workers on a Ray cluster, and what they are asked to do.

What is asked goes to the worker with the least to do. When a worker dies (its machine is gone, the
system took its memory back), another one is asked for, which Ray starts wherever there is room, and
what it had not answered is asked of others.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from subvino.audio import WindowSound
from subvino.cluster.spans import SPAN_WINDOWS, Description, Failure, Media, Part
from subvino.cluster.worker import Worker
from subvino.errors import ClusterError, SubvinoError
from subvino.pipeline import EngineOptions

MAX_FAULTS = 3
"""Workers that one piece of work may cost before it is given up: it may be what kills them."""

BATCHES_AHEAD = 2
"""Batches of windows that a worker has at once: one that it decodes, one to take from."""

OnEvent = Callable[[str], None]
"""Told in a line what became of workers."""


@dataclass(frozen=True, slots=True)
class Model:
    """What workers load, and the cores that each of them gets."""

    name: str
    options: EngineOptions
    n_cpus: int


@dataclass(eq=False, slots=True)
class Seat:
    """A worker. load: windows that it has; readings: of the media files that it reads."""

    handle: Any
    node: str = ""
    load: int = 0
    readings: set[str] = field(default_factory=set)
    is_ready: bool = False


class Task(Protocol):
    """Something that any one worker can do."""

    @property
    def n_windows(self) -> int:
        """To be decoded for it."""

    @property
    def preferred(self) -> Seat | None:
        """The worker that has its sound, or had it last."""

    def begin(self, seat: Seat, n_faults: int) -> Any:
        """Ask a worker; gives Ray's reference to the answer.

        Done again with another one until there is an answer. n_faults: workers that died of it, or
        with it.
        """


@dataclass(slots=True)
class Reading:
    """Read a span of media. sounds, seat: where the samples of its windows lie, and who read it."""

    media: Media
    first: int
    preferred: Seat | None = None
    n_windows: int = 0
    sounds: Any = None
    seat: Seat | None = None

    def begin(self, seat: Seat, n_faults: int) -> Any:
        """See `Task`."""
        del n_faults
        self.seat = seat
        seat.readings.add(self.media.reading)
        read = seat.handle.read.options(num_returns=2)
        answer, self.sounds = read.remote(self.media, self.first, SPAN_WINDOWS)
        return answer


@dataclass(slots=True)
class Hearing:
    """Recognize part of a span; sounds: Ray's reference to the samples of all its windows.

    media: where it can be read again; None where it need not, as the driver keeps it.
    """

    part: Part
    sounds: Any
    media: Media | None
    preferred: Seat | None

    @property
    def n_windows(self) -> int:
        """See `Task`."""
        return self.part.n_windows

    def begin(self, seat: Seat, n_faults: int) -> Any:
        """See `Task`; its sound may have been lost with a worker, and is read again."""
        if n_faults and self.media is not None:
            read = seat.handle.read.options(num_returns=2)
            _, self.sounds = read.remote(self.media, self.part.span.first, SPAN_WINDOWS)
        return seat.handle.recognize.remote(self.part, self.sounds)


@dataclass(slots=True)
class Detecting:
    """Tell the language of windows."""

    sounds: Sequence[WindowSound]
    preferred: Seat | None = None
    n_windows: int = 0

    def begin(self, seat: Seat, n_faults: int) -> Any:
        """See `Task`."""
        del n_faults
        return seat.handle.detect_language.remote(list(self.sounds))


@dataclass(eq=False, slots=True)
class _Asked:
    """A task on its way."""

    task: Task
    future: Future[Any] = field(default_factory=Future)
    n_faults: int = 0


class Pool:
    """The workers of a cluster that Ray is connected to, all with one model.

    Its methods may be called from any thread. One thread of its own does all that concerns workers:
    Ray tells of answers in threads of its own, in which nothing may be waited for.

    n_replaced: workers that died.
    """

    def __init__(self, model: Model, n_workers: int, on_event: OnEvent) -> None:
        self.n_workers, self.n_replaced = n_workers, 0
        self._model, self._on_event = model, on_event
        self._steps: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._seats: list[Seat] = []
        self._waiting: list[_Asked] = []
        self._described: Future[Description] = Future()
        self._lock = threading.Lock()  # of the next line only
        self._n_windows = 0
        self._nodes: Counter[str] = Counter()
        for _ in range(n_workers):
            self._steps.put(self._hire)
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        self._thread.start()

    def describe(self) -> Description:
        """What the workers have loaded, as soon as the first one has. Raises what loading did."""
        return self._described.result()

    @property
    def nodes(self) -> Counter[str]:
        """The names of machines, and how many workers are ready there."""
        return self._nodes

    def has_room(self, batch_size: int | None) -> bool:
        """Whether workers want more windows; batch_size: as in `DecodingOptions`."""
        limit = BATCHES_AHEAD * (batch_size or self.describe().batch_size)
        return self._n_windows < limit * self._nodes.total()

    def ask(self, task: Task) -> Future[Any]:
        """A task's answer; its exception is the failure that came, or a ClusterError."""
        asked = _Asked(task)
        self._count(task.n_windows)
        self._steps.put(partial(self._take, asked))
        return asked.future

    def end_reading(self, media: Media, seat: Seat | None) -> None:
        """Let the worker that read it last close it."""
        if seat is not None:
            self._steps.put(partial(self._close_reading, media, seat))

    def let_go(self) -> None:
        """Begin to close, without waiting for it."""
        self._steps.put(None)

    def close(self) -> None:
        """Let the workers go; what is not done is not done any more."""
        self.let_go()
        self._thread.join()

    def _count(self, n_windows: int) -> None:
        with self._lock:
            self._n_windows += n_windows

    # In the pool's thread: workers come and go

    def _run(self) -> None:
        import ray

        while (step := self._steps.get()) is not None:
            step()
        for seat in self._seats:
            ray.kill(seat.handle)
        for asked in self._waiting:
            asked.future.cancel()

    def _hire(self) -> None:
        import ray

        options = {"num_cpus": self._model.n_cpus, "scheduling_strategy": "SPREAD"}
        actor: Any = ray.remote(Worker).options(**options)
        seat = Seat(actor.remote(self._model.name, self._model.options))
        self._seats.append(seat)
        self._await(seat.handle.describe.remote(), partial(self._welcome, seat))

    def _await(self, reference: Any, step: Callable[[Future[Any]], None]) -> None:
        """Go on with the answer, in the pool's thread."""
        reference.future().add_done_callback(lambda answer: self._steps.put(partial(step, answer)))

    def _welcome(self, seat: Seat, answer: Future[Any]) -> None:
        try:
            found = _unpack(answer.result())
            self._check(found)
        except Exception as error:  # noqa: BLE001  told where the workers are waited for
            self._turn_away(seat, error)
            return
        seat.is_ready, seat.node = True, found.node
        self._look_round()
        self._assign()

    def _look_round(self) -> None:
        self._nodes = Counter(seat.node for seat in self._seats if seat.is_ready)

    def _check(self, found: Description) -> None:
        """Refuse a worker that may hear other things than the first one."""
        if not self._described.done():
            self._described.set_result(found)
        elif found.software != self._described.result().software:
            raise ClusterError(
                f"{found.node} has another version of subvino, of what it needs, or of model "
                f"{found.name} than the other machines; install the same on all"
            )

    def _turn_away(self, seat: Seat, error: Exception) -> None:
        """Do without a worker that never was ready; others may be."""
        self._seats.remove(seat)
        if self._seats:
            self._on_event(f"a worker can't be used: {_line(error)}")
            return
        if not isinstance(error, SubvinoError):
            error = ClusterError(f"no worker can be started ({_line(error)})")
        if not self._described.done():
            self._described.set_exception(error)
        for asked in self._waiting:
            self._answer(asked, error)
        self._waiting.clear()

    def _bury(self, seat: Seat) -> None:
        """Replace a worker that died."""
        import ray

        if not seat.is_ready:  # another answer told of it
            return
        seat.is_ready = False
        self._seats.remove(seat)
        self._look_round()
        self.n_replaced += 1
        ray.kill(seat.handle)  # it may only have been out of reach
        self._on_event(f"a worker on {seat.node} died; what it was at is done again")
        self._hire()

    def _close_reading(self, media: Media, seat: Seat) -> None:
        seat.readings.discard(media.reading)
        if seat.is_ready:
            seat.handle.close.remote(media.reading)

    # In the pool's thread: tasks

    def _take(self, asked: _Asked) -> None:
        self._waiting.append(asked)
        self._assign()

    def _assign(self) -> None:
        """Hand out what waits, as soon as there is a worker at all."""
        ready = [seat for seat in self._seats if seat.is_ready]
        while ready and self._waiting:
            asked = self._waiting.pop(0)
            seat = _choose(ready, asked.task)
            seat.load += asked.task.n_windows
            answer = asked.task.begin(seat, asked.n_faults)
            self._await(answer, partial(self._settle, asked, seat))

    def _settle(self, asked: _Asked, seat: Seat, answer: Future[Any]) -> None:
        """Give the answer to who asked, or ask another worker."""
        seat.load -= asked.task.n_windows
        try:
            found = _unpack(answer.result())
        except Exception as error:  # noqa: BLE001  belongs to who asked
            if _is_fault(error):
                self._ask_again(asked, seat, error)
            else:
                self._answer(asked, error)
        else:
            self._answer(asked, found)

    def _ask_again(self, asked: _Asked, seat: Seat, error: Exception) -> None:
        from ray.exceptions import RayActorError

        if isinstance(error, RayActorError):
            self._bury(seat)
        asked.n_faults += 1
        if asked.n_faults < MAX_FAULTS:
            self._take(asked)
            return
        message = f"{asked.n_faults} workers died of it, or could not be reached ({_line(error)})"
        self._answer(asked, ClusterError(f"{message}; give them more memory, or run again"))

    def _answer(self, asked: _Asked, found: Any) -> None:
        self._count(-asked.task.n_windows)
        if isinstance(found, Exception):
            asked.future.set_exception(found)
        else:
            asked.future.set_result(found)


def _choose(ready: Sequence[Seat], task: Task) -> Seat:
    """The worker with the least to do; the preferred one where it has little more."""
    preferred = task.preferred
    if not task.n_windows:
        if preferred is not None and preferred.is_ready:
            return preferred
        return min(ready, key=lambda seat: (len(seat.readings), seat.load))
    least = min(ready, key=lambda seat: seat.load)
    if preferred is None or not preferred.is_ready:
        return least
    return preferred if preferred.load < least.load + SPAN_WINDOWS else least


def _unpack(found: Any) -> Any:
    if isinstance(found, Failure):
        raise found.error()
    return found


def _is_fault(error: Exception) -> bool:
    """Whether a machine is to blame, and not what it was asked."""
    from ray.exceptions import RayError, RayTaskError

    if isinstance(error, RayTaskError):
        return isinstance(error.cause, RayError)
    return isinstance(error, RayError)


def _line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
