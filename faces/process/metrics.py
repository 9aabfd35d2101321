"""What every process tells Prometheus: its memory, processor time and open files."""

from __future__ import annotations

from prometheus_client import GC_COLLECTOR, CollectorRegistry, ProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Buckets of every duration, in seconds."""


def new_registry() -> CollectorRegistry:
    """A registry with the memory, processor time and open files of this process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(GC_COLLECTOR)
    return registry
