"""docs/metrics.md is held to what the server and a worker answer, each metric having moved."""

from __future__ import annotations

import re
import threading
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from prometheus_client import CollectorRegistry

from faces.errors import BrokerError, SettingError, StoreError
from faces.process.health import serve
from faces.store.client import RedisClient
from faces.store.memory import Memory
from groups.metrics import Metrics as GroupsMetrics
from local.process import free_port
from rest.metrics.fleet import Fleet
from rest.metrics.server import Metrics as RestMetrics
from video.metrics import Metrics as VideoMetrics
from worker.metrics import Metrics as WorkerMetrics

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


class Metric(NamedTuple):
    """A row of the document."""

    name: str
    type: str
    labels: frozenset[str]


class Redis:
    """Answers the two questions of the fleet's counts, as a link does; or does not."""

    def __init__(self, error: StoreError | None = None, answers: threading.Event | None = None) -> None:
        self._error = error
        self._answers = answers

    def session(self) -> Redis:
        return self

    def __enter__(self) -> Redis:
        if self._answers is not None:
            self._answers.wait(60)
        if self._error is not None:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def snapshot(self, *_: object) -> list[Any]:
        return [[b"9", b"5", b"1", None], 3]

    def ask(self, *commands: object) -> list[Any]:
        return (
            [[]] if len(commands) == 1 else [b"4", 7]
        )  # none in flight; the groups' position, the journal's length


def fleet(redis: Redis, patience: float = 5.0) -> Fleet:
    parts = {"matches": 30, "encodings": 20, "names": 1, "statuses": 8, "journal": 1}
    return Fleet(
        cast(RedisClient, redis), patience, lambda _: Memory(used=100, limit=200, parts=parts, edges=7)
    )


def moved_rest() -> CollectorRegistry:
    """The registry of a server that has done everything once."""
    metrics = RestMetrics()
    metrics.registry.register(fleet(Redis()))
    metrics.request("/", "GET", 200, 0.1)
    return moved(metrics)


def moved_rpc() -> CollectorRegistry:
    """The registry of a gRPC server that has done everything once."""
    metrics = RestMetrics("rpc")
    metrics.request("/facefleet.v1.Facefleet/Match", "RPC", "OK", 0.1)
    return moved(metrics)


def moved(metrics: RestMetrics) -> CollectorRegistry:
    metrics.publishing(2)
    metrics.answered([None, BrokerError("full")])
    return metrics.registry


def moved_worker() -> CollectorRegistry:
    """The registry of a worker that has done everything once."""
    metrics = WorkerMetrics()
    metrics.about("a model")
    metrics.consuming(True)
    metrics.picture("done", faces=2)
    metrics.batch(pictures=3, redelivered=1)
    metrics.committed(retries=1, lag=4, known=7)
    metrics.dead_letter()
    metrics.engine_fault("crash")
    with metrics.stage("decode"):
        pass
    return metrics.registry


def answered(registry: CollectorRegistry) -> set[Metric]:
    return {
        Metric(_shown(family.name, family.type), _kind(family.type), frozenset(_labels(family.samples)))
        for family in registry.collect()
    }


def _shown(name: str, kind: str) -> str:
    return name + {"counter": "_total", "info": "_info"}.get(kind, "")


def _kind(kind: str) -> str:
    return "gauge" if kind == "info" else kind


def _labels(samples: Iterable[Any]) -> set[str]:
    return {label for sample in samples for label in sample.labels} - {"le"}


def documented(*sections: str) -> set[Metric]:
    parts = re.split(r"^## (.+)$", DOCUMENT.read_text(), flags=re.MULTILINE)
    text = "".join(body for title, body in zip(parts[1::2], parts[2::2], strict=True) if title in sections)
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", text, re.MULTILINE)
    return {Metric(name, kind, frozenset(labels.replace(",", " ").split())) for name, kind, labels in rows}


def test_the_table_of_the_server() -> None:
    assert answered(moved_rest()) == documented("The server", "Every process")


def test_the_table_of_the_grpc_server() -> None:
    assert answered(moved_rpc()) == documented("The gRPC server", "Every process")


def test_the_table_of_a_worker() -> None:
    assert answered(moved_worker()) == documented("A worker", "Every process")


def test_the_table_of_the_groups_process() -> None:
    assert answered(GroupsMetrics().registry) == documented("The groups process", "Every process")


def test_the_table_of_the_video_process() -> None:
    metrics = VideoMetrics()
    metrics.videos.labels("done").inc()
    assert answered(metrics.registry) == documented("The video process", "Every process")


def test_the_figures() -> None:
    rest, worker = moved_rest(), moved_worker()
    for registry, name, labels, value in (
        (rest, "facefleet_requests_total", {"route": "/", "method": "GET", "status": "200"}, 1),
        (rest, "facefleet_published_total", {}, 2),
        (rest, "facefleet_confirmed_total", {}, 1),
        (rest, "facefleet_rejected_total", {}, 1),
        (rest, "facefleet_accepted", {}, 9),
        (rest, "facefleet_done", {}, 5),
        (rest, "facefleet_failed", {}, 1),
        (rest, "facefleet_erased", {}, 0),
        (rest, "facefleet_in_flight", {}, 3),
        (rest, "facefleet_redis_up", {}, 1),
        (rest, "facefleet_groups_lag", {}, 3),
        (rest, "facefleet_webhooks_lag_seconds", {}, 0),
        (rest, "facefleet_redis_used_bytes", {}, 100),
        (rest, "facefleet_redis_limit_bytes", {}, 200),
        (rest, "facefleet_redis_doubled_bytes", {}, 100 + 30 + 3 * 30),
        (rest, "facefleet_redis_part_bytes", {"part": "matches"}, 30),
        (rest, "facefleet_edges", {}, 7),
        (worker, "facefleet_pictures_total", {"outcome": "done"}, 1),
        (worker, "facefleet_faces_total", {}, 2),
        (worker, "facefleet_worker_ready", {}, 1),
        (worker, "facefleet_batch_pictures_sum", {}, 3),
        (worker, "facefleet_redelivered_total", {}, 1),
        (worker, "facefleet_commit_retries_total", {}, 1),
        (worker, "facefleet_journal_lag", {}, 4),
        (worker, "facefleet_index_faces", {}, 7),
        (worker, "facefleet_dead_letters_total", {}, 1),
        (worker, "facefleet_stage_seconds_count", {"stage": "decode"}, 1),
    ):
        assert registry.get_sample_value(name, labels) == value, name


@pytest.mark.parametrize("method", ["BREW", "get", "x" * 10_000])
def test_strangers_make_no_series(method: str) -> None:
    metrics = RestMetrics()
    metrics.request(None, method, 404, 0.0)
    labels = {"route": "none", "method": "other", "status": "404"}
    assert metrics.registry.get_sample_value("facefleet_requests_total", labels) == 1


def test_only_the_fleet_is_silent_while_redis_is_away() -> None:
    registry = CollectorRegistry()
    registry.register(fleet(Redis(StoreError("away"))))
    assert {(family.name, family.samples[0].value) for family in registry.collect()} == {
        ("facefleet_redis_up", 0)
    }


def test_a_redis_that_hangs_counts_as_away_and_is_asked_again() -> None:
    answers = threading.Event()
    asked = fleet(Redis(answers=answers), patience=0.05)
    assert [family.name for family in asked.collect()] == ["facefleet_redis_up"]
    answers.set()
    assert "facefleet_in_flight" in [family.name for family in asked.collect()]


def test_metrics_are_served_without_times_of_creation() -> None:
    port = free_port()
    serve(moved_worker(), port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    assert 'facefleet_stage_seconds_bucket{le="+Inf",stage="decode"} 1.0' in text
    assert "_created" not in text


def test_a_port_that_is_taken_is_told_by_its_name() -> None:
    port = free_port()
    serve(CollectorRegistry(), port)
    with pytest.raises(SettingError, match=f"METRICS_PORT {port}"):
        serve(CollectorRegistry(), port)
