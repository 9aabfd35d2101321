"""What the whole fleet has done, read from Redis whenever Prometheus asks. Every server gives the same figures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from faces.errors import StoreError
from faces.store import memory
from faces.store.client import RedisClient
from faces.store.events import webhooks
from faces.store.memory import Memory
from faces.store.pictures import queries

PATIENCE = 4.0  # seconds; Prometheus itself waits for ten, and would then lose all other metrics too
SURVEY_EVERY = 60.0  # seconds; it takes Redis about 5 ms
UP = "facefleet_redis_up"
OLDEST = "facefleet_oldest_in_flight_seconds"
LAG = "facefleet_groups_lag"
UNPOSTED = "facefleet_webhooks_lag_seconds"
ABOUT = {
    "accepted": "pictures accepted",
    "done": "pictures done",
    "failed": "pictures failed",
    "erased": "pictures erased",
    "in_flight": "pictures accepted, neither done nor failed nor erased",
}

log = logging.getLogger(__name__)


class Fleet(Collector):
    """The fleet's counts; while Redis is unavailable, only that it is."""

    def __init__(
        self,
        redis: RedisClient,
        patience: float = PATIENCE,
        survey: Callable[[RedisClient], Memory] = memory.survey,
    ) -> None:
        self._redis = redis
        self._patience = patience
        self._survey = survey
        self._surveyed: Memory | None = None
        self._surveyed_at = 0.0
        self._asking = ThreadPoolExecutor(1, "fleet's counts")

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: registering must not ask Redis."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask Redis; one that does not answer in time counts as away."""
        try:
            figures = self._asking.submit(self._figures).result(self._patience)
        except (StoreError, TimeoutError) as error:
            log.warning(
                "the fleet's metrics are unavailable: %s", error or f"no answer in {self._patience:.0f} s"
            )
            figures = []
        yield GaugeMetricFamily(UP, "1 while Redis answers the server", float(bool(figures)))
        yield from figures

    def _figures(self) -> list[GaugeMetricFamily]:
        return [*self._counts(), *self._memory()]

    def _memory(self) -> list[GaugeMetricFamily]:
        """Return what Redis's memory is used for, looked at once a minute."""
        now = time.monotonic()
        if self._surveyed is None or now - self._surveyed_at > SURVEY_EVERY:
            self._surveyed, self._surveyed_at = self._survey(self._redis), now
        found = self._surveyed
        parts = GaugeMetricFamily(
            "facefleet_redis_part_bytes", "Redis's memory by what takes it, estimated", labels=["part"]
        )
        for part, used in found.parts.items():
            parts.add_metric([part], used)
        return [
            GaugeMetricFamily(
                "facefleet_redis_used_bytes", "Redis's memory that counts towards maxmemory", found.used
            ),
            GaugeMetricFamily("facefleet_redis_limit_bytes", "Redis's maxmemory, 0: none", found.limit),
            GaugeMetricFamily("facefleet_redis_doubled_bytes", "with twice the pictures", found.doubled),
            GaugeMetricFamily("facefleet_edges", "pairs of pictures that match, estimated", found.edges),
            parts,
        ]

    def _counts(self) -> list[GaugeMetricFamily]:
        counts = asdict(queries.counts(self._redis))
        figures = [GaugeMetricFamily(f"facefleet_{n}", ABOUT[n], value) for n, value in counts.items()]
        accepted = queries.oldest_in_flight(self._redis)
        return [
            *figures,
            GaugeMetricFamily(OLDEST, "age of the oldest picture in flight, 0: none", _age(accepted)),
            GaugeMetricFamily(
                LAG, "journal entries that are not in groups yet", queries.groups_lag(self._redis)
            ),
            GaugeMetricFamily(
                UNPOSTED,
                "age of the oldest event that a webhook has still to get, 0: none",
                _age(webhooks.waiting_since(self._redis)),
            ),
        ]


def _age(moment: float | None) -> float:
    return 0.0 if moment is None else max(0.0, time.time() - moment)
