"""What the server tells Prometheus, on a port of its own (`METRICS_PORT`). docs/metrics.md lists every metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import Counter, Gauge, Histogram, Info

from faces.process.metrics import SECONDS, new_registry
from faces.version import VERSION

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "RPC"})


class Metrics:
    """A server's metrics in a registry of their own; `part` is `rest` or `rpc`. Threads may share them."""

    def __init__(self, part: str = "rest") -> None:
        self.registry = new_registry()
        Info(f"facefleet_{part}", "version of the server", registry=self.registry).info({"version": VERSION})
        self._requests = self._counter("requests", "requests answered", ("route", "method", "status"))
        self._seconds = Histogram(
            "facefleet_request_seconds",
            "seconds from a request's head to its answer",
            ("route", "method"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._published = self._counter("published", "pictures given to RabbitMQ")
        self._confirmed = self._counter("confirmed", "pictures that RabbitMQ has confirmed")
        self._rejected = self._counter("rejected", "pictures that RabbitMQ rejected: 503")
        self._full = Gauge("facefleet_queue_full", "1 while the queue has no room", registry=self.registry)

    def watch_queue(self, full: Callable[[], bool]) -> None:
        """Ask whether the queue is full whenever Prometheus asks."""
        self._full.set_function(lambda: float(full()))

    def request(self, route: str | None, method: str, status: int | str, seconds: float) -> None:
        """Count an answer: HTTP's, or with the method `RPC` gRPC's, whose status is a name.

        A stranger's paths and methods get no series of their own.
        """
        route, method = route or "none", method if method in METHODS else "other"
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def publishing(self, pictures: int) -> None:
        """Count pictures that are given to RabbitMQ."""
        self._published.inc(pictures)

    def answered(self, answers: Sequence[Exception | None]) -> None:
        """Count what came of them; None: it was confirmed."""
        confirmed = answers.count(None)
        self._confirmed.inc(confirmed)
        self._rejected.inc(len(answers) - confirmed)

    def _counter(self, name: str, about: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"facefleet_{name}", about, labels, registry=self.registry)
