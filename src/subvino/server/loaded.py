"""Models in memory: loaded when a job needs one, let go when none has for a while.

Floor 5 of the road. Also which models clients may ask for, and the names they know them by.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from subvino.errors import ModelNotFoundError
from subvino.models import MODELS, Progress, find_model, list_models
from subvino.pipeline import EngineOptions, Transcriber, load_transcriber
from subvino.server.job import JobOptions
from subvino.server.settings import ServerSettings

HOSTED_NAMES = frozenset({"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"})
"""What clients of the hosted service ask for when nobody told them of another model."""

Load = Callable[[str, EngineOptions, Progress | None], Transcriber]


def offered_models(settings: ServerSettings) -> tuple[str, ...]:
    """The names that clients may ask for, the default first."""
    default = default_name(settings)
    if settings.models is not None:
        return tuple(dict.fromkeys((default, *settings.models)))
    here = (row.name for row in list_models() if row.converted or row.installed)
    return tuple(dict.fromkeys((default, *here)))


def default_name(settings: ServerSettings) -> str:
    """What the default model is called; a folder goes by its last part, not by its path."""
    row = find_model(settings.model)
    return row.name if row else Path(settings.model).name


def choose_model(wanted: str, settings: ServerSettings) -> str:
    """The offered name that a client means; raises ModelNotFoundError."""
    if not wanted or wanted in HOSTED_NAMES:
        return default_name(settings)
    offered = offered_models(settings)
    if wanted in offered:
        return wanted
    for name in (wanted, wanted.rpartition("/")[2], _plain_name(wanted)):
        row = find_model(name)
        if row is not None and row.name in offered:
            return row.name
    told = f"model {wanted[:80]!r} is not offered here, only: {', '.join(offered)}"
    if _plain_name(wanted) in MODELS:
        told += f"; the server's owner can add it: subvino models get {_plain_name(wanted)}"
    raise ModelNotFoundError(told)


def _plain_name(wanted: str) -> str:
    """As other servers call them: "Systran/faster-whisper-small" is small."""
    return wanted.rpartition("/")[2].removeprefix("faster-").removeprefix("whisper-")


class LoadedModels:
    """At most one model at a time, for one thread that uses it.

    Another one takes its place when it is asked for; `unload_idle` lets it go.
    """

    def __init__(self, settings: ServerSettings, load: Load = load_transcriber) -> None:
        self._settings = settings
        self._load = load
        self._lock = threading.Lock()
        self._key: tuple[str, EngineOptions] | None = None
        self._transcriber: Transcriber | None = None
        self._used = time.monotonic()

    @property
    def name(self) -> str | None:
        """Of the model that is loaded."""
        return self._key[0] if self._key else None

    @contextmanager
    def borrow(
        self, options: JobOptions, progress: Progress | None = None
    ) -> Iterator[Transcriber]:
        """The model for a job, loaded if need be; for nobody else meanwhile. Raises ModelError."""
        with self._lock:
            engine = options.engine(self._settings.device, self._settings.threads)
            key = (options.model, engine)
            if self._transcriber is None or key != self._key:
                self._drop()
                self._transcriber = self._load(self._source(options.model), engine, progress)
                self._key = key
            try:
                yield self._transcriber
            finally:
                self._used = time.monotonic()

    def unload_idle(self) -> bool:
        """Let the model go if it was not used for as long as the settings say; whether it was."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            idle = time.monotonic() - self._used
            if self._transcriber is None or idle < self._settings.model_idle:
                return False
            self._drop()
            return True
        finally:
            self._lock.release()

    def _source(self, name: str) -> str:
        """What the model is loaded from: the default may be a folder."""
        return self._settings.model if name == default_name(self._settings) else name

    def _drop(self) -> None:
        self._transcriber, self._key = None, None
        gc.collect()  # compiled networks hang on cycles; their memory is wanted back now
