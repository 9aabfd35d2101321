"""A worker's metrics for Prometheus, served on `METRICS_PORT`; docs/metrics.md lists them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, Info

from faces.process.metrics import SECONDS, new_registry
from faces.version import VERSION


class Metrics:
    """A worker's metrics, in their own registry."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self._info = Info("facefleet_worker", "model and version of the worker", registry=self.registry)
        self._pictures = self._counter("pictures", "pictures by outcome", ("outcome",))
        self._faces = self._counter("faces", "faces found")
        self._retries = self._counter(
            "commit_retries", "transactions repeated because another worker committed first"
        )
        self._redelivered = self._counter("redelivered", "redelivered messages")
        self._faults = self._counter("engine_faults", "failures of the engine's process", ("kind",))
        self._dead = self._counter("dead_letters", "messages moved to the dead letters")
        self._seconds = Histogram(
            "facefleet_stage_seconds",
            "seconds in each stage: decode and detect of a picture, encode of up to four, the others of a batch",
            ("stage",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "facefleet_batch_pictures",
            "pictures in a batch",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )
        self._ready = self._gauge("worker_ready", "1 while pictures are consumed")
        self._known = self._gauge("index_faces", "faces in memory")
        self._lag = self._gauge("journal_lag", "journal entries that a commit found unread")

    def about(self, model: str) -> None:
        """Set the model."""
        self._info.info({"model": model, "version": VERSION})

    def consuming(self, consuming: bool) -> None:
        """Note that pictures are consumed, or no longer."""
        self._ready.set(consuming)

    def picture(self, outcome: str, faces: int = 0) -> None:
        """Count a picture that is settled."""
        self._pictures.labels(outcome).inc()
        self._faces.inc(faces)

    def batch(self, pictures: int, redelivered: int) -> None:
        """Count a batch that processing begins with."""
        self._batch.observe(pictures)
        self._redelivered.inc(redelivered)

    def committed(self, retries: int, lag: int, known: int) -> None:
        """Record a commit: failed attempts, journal entries read on the way, faces indexed after it."""
        self._retries.inc(retries)
        self._lag.set(lag)
        self._known.set(known)

    def dead_letter(self) -> None:
        """Count a dead letter."""
        self._dead.inc()

    def engine_fault(self, kind: str) -> None:
        """Count a failure of the engine's process."""
        self._faults.labels(kind).inc()

    def stage_seconds(self, name: str, seconds: float) -> None:
        """Record a stage that was timed elsewhere."""
        self._seconds.labels(name).observe(seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, whether it succeeds or fails."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(name).observe(time.perf_counter() - begun)

    def _counter(self, name: str, about: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"facefleet_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(f"facefleet_{name}", about, registry=self.registry)
