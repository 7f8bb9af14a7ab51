"""What the server counts, for Prometheus.

Floor 5 of the road. Each application has a registry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from subvino.server.jobs import Jobs

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)


class Metrics:
    """The counters of one application."""

    def __init__(self, jobs: Jobs) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "subvino_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "subvino_request_seconds",
            "Time until a request was answered.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_JobsCollector(jobs))

    def text(self) -> bytes:
        """All of them, in Prometheus' text form."""
        return generate_latest(self._registry)


class _JobsCollector(Collector):
    """What is looked up when it is asked for."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing in advance: the store may not be open yet."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts = self._jobs.store.counts()
        family = GaugeMetricFamily("subvino_jobs", "Jobs kept, by state.", labels=("state",))
        for state in ("queued", "running", "done", "failed", "cancelled"):
            family.add_metric((state,), counts.get(state, 0))
        yield family
        loaded = GaugeMetricFamily("subvino_models_loaded", "Models in memory.", labels=("model",))
        for name in self._jobs.loaded_models():
            loaded.add_metric((name,), 1)
        yield loaded
        heard = self._jobs.seconds_heard
        yield GaugeMetricFamily(
            "subvino_heard_seconds", "Seconds of media heard since the start.", value=heard
        )
