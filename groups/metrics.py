"""Prometheus metrics of the groups process (`METRICS_PORT`); docs/metrics.md lists them all."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from faces.process.metrics import SECONDS, new_registry
from groups.follower import Follower


class Metrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.faces = Gauge("facefleet_grouped_faces", "grouped faces", registry=self.registry)
        self.groups = Gauge("facefleet_groups", "groups of faces", registry=self.registry)
        self.people = Gauge("facefleet_people", "confirmed people", registry=self.registry)
        self.holder = Gauge(
            "facefleet_groups_holder",
            "1 if this process is in charge, 0 if it is standing by",
            registry=self.registry,
        )
        self.reloads = Counter(
            "facefleet_groups_reloads",
            "times the saved groups were read again after a failure",
            registry=self.registry,
        )
        self.seconds = Histogram(
            "facefleet_groups_step_seconds",
            "seconds per step of at most 500 journal entries",
            buckets=SECONDS,
            registry=self.registry,
        )

    def stepped(self, follower: Follower, seconds: float) -> None:
        """Record a step."""
        self.seconds.observe(seconds)
        self.faces.set(follower.faces)
        self.groups.set(len(follower.partition.table))
        self.people.set(len({person.id for person in follower.grouping.constraints.people.values()}))
