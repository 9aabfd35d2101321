"""What every process tells Prometheus alike: its memory, and where it answers (`METRICS_PORT`)."""

from __future__ import annotations

from prometheus_client import (
    GC_COLLECTOR,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from faces.errors import SettingError

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Buckets of every duration, in seconds."""


def new_registry() -> CollectorRegistry:
    """A registry with the memory, processor time and open files of this process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(GC_COLLECTOR)
    return registry


def serve(registry: CollectorRegistry, port: int) -> None:
    """Answer `GET /metrics` on a thread of its own; 0: not at all.

    Raises:
        SettingError: the port is taken.
    """
    if not port:
        return
    # a time of creation beside each counter would double what Prometheus keeps
    disable_created_metrics()  # type: ignore[no-untyped-call]  # its authors left it untyped
    try:
        start_http_server(port, registry=registry)
    except OSError as error:
        reason = f"METRICS_PORT is {port}, which cannot be listened on ({error.strerror}): name a free port"
        raise SettingError(reason) from error
