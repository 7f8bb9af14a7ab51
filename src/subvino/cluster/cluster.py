"""A connection to a Ray cluster, and the models that workers have loaded there."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import weakref
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from subvino.cluster.pool import Model, OnEvent, Pool
from subvino.cluster.transcriber import ClusterTranscriber
from subvino.errors import ClusterError, MissingExtraError
from subvino.models import Progress
from subvino.pipeline import EngineOptions

WORKER_THREADS = 2
"""Cores of a worker where nobody says: see benchmarks/cluster.py."""

AUTO = "auto"
LOCAL = "local"

_KNOCK_SECONDS = 10.0
"""For a connection to the cluster's head; Ray itself tries for minutes."""

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where the workers are.

    address: "auto" for the cluster that this machine is part of, "local" for this machine alone,
        or that of a cluster: "ray://head:10001", "head:6379".
    n_workers: None makes as many as the cluster has cores for.
    """

    address: str = AUTO
    n_workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address; ClusterError."""
        if self.address not in (AUTO, LOCAL) and _host_and_port(self.address) is None:
            raise ClusterError(
                f"no cluster can be at {self.address!r}: give auto, local, ray://HOST:PORT "
                "or HOST:PORT"
            )


class Cluster:
    """A Ray cluster; called with a model it gives a transcriber, as `pipeline.load_transcriber`.

    It is connected to when the first model is wanted. Workers keep a model for as long as its
    transcriber is in use anywhere.
    """

    def __init__(self, options: ClusterOptions, on_event: OnEvent = lambda _: None) -> None:
        self._options, self._on_event = options, on_event
        self._lock = threading.Lock()
        self._ray: Any = None
        self._loaded: weakref.WeakValueDictionary[tuple[str, EngineOptions], ClusterTranscriber]
        self._loaded = weakref.WeakValueDictionary()

    def __enter__(self) -> Cluster:
        """Itself; it is left at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the workers go, and leave the cluster."""
        self.close()

    def __call__(
        self, model: str, options: EngineOptions, progress: Progress | None = None
    ) -> ClusterTranscriber:
        """A transcriber whose workers have loaded the model; the first of them is ready.

        Raises ClusterError where there is no such cluster, MissingExtraError, and what
        `load_transcriber` raises, on the workers' machines.
        """
        with self._lock:
            known = self._loaded.get((model, options))
            if known is not None:
                return known
            if progress is not None:
                progress("join the cluster", 0, 0)
            transcriber = self._load(model, options)
            self._loaded[model, options] = transcriber
            return transcriber

    def close(self) -> None:
        """Let the workers go, and leave the cluster."""
        with self._lock:
            for transcriber in tuple(self._loaded.values()):
                transcriber.pool.close()
            if self._ray is not None:
                self._ray.shutdown()
                self._ray = None

    def _load(self, model: str, options: EngineOptions) -> ClusterTranscriber:
        threads = options.threads or WORKER_THREADS
        options = replace(options, threads=threads)
        if self._ray is None:
            self._ray = _connect(self._options.address)
            _allow_many_files()
        n_workers = self._options.n_workers or _count_room(self._ray, threads)
        pool = Pool(Model(model, options, threads), n_workers, self._on_event)
        try:
            transcriber = ClusterTranscriber(pool, options)
        except BaseException:
            pool.close()
            raise
        weakref.finalize(transcriber, pool.let_go)
        self._on_event(f"workers: {n_workers}, with {threads} of the CPU's threads each")
        return transcriber


def _connect(address: str) -> Any:
    for name, value in (_QUIET | (_private() if address == LOCAL else {})).items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("cluster", "a cluster") from error
    how: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
    try:
        _knock(address)
        ray.init(
            address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            configure_logging=False,
            **how,
        )
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ClusterError(
            f"no Ray cluster at {address!r} ({reason}); start one with `ray start --head`"
        ) from error
    return ray


def _private() -> dict[str, str]:
    """Settings that keep a cluster of this machine to it, and to us.

    Ray listens on the loopback device where it is told that machines can't form clusters, as it
    does by itself on Windows and macOS; other users of the machine don't know the token.
    """
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


def _host_and_port(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        is_whole = parts.scheme in ("", "ray") and parts.hostname and parts.port
        return (str(parts.hostname), int(parts.port or 0)) if is_whole else None
    except ValueError:
        return None


def _knock(address: str) -> None:
    """Raises OSError where nothing answers at an address with a host."""
    place = _host_and_port(address)
    if place is not None:
        socket.create_connection(place, _KNOCK_SECONDS).close()


def _count_room(ray: Any, threads: int) -> int:
    """Workers that the machines of the cluster have cores for."""
    nodes = (node.get("Resources", {}) for node in ray.nodes() if node["Alive"])
    n_workers = sum(int(resources.get("CPU", 0) // threads) for resources in nodes)
    if n_workers < 1:
        raise ClusterError(f"no machine of the cluster has {threads} cores; give fewer --threads")
    return n_workers


def _allow_many_files() -> None:
    """Let this process open as many files as it may: each media file in work has a journal."""
    try:
        import resource
    except ImportError:  # Windows knows no such bound
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
