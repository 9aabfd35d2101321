"""What the server and a worker tell of a few pictures: to Prometheus, to tailers, and in their own logs."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from faces.config import Settings
from faces.messaging.amqp import Publisher
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE
from faces.store.pictures.accept import accept
from local.process import free_port, until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.tail import Tail
from tests.support.drawing import drawing
from worker.engine.portrait import portrait

NOBODY, CUT = drawing(), drawing(1, size=(400, 300))[:-2000]


def somebody() -> bytes:
    """A drawn face."""
    file = io.BytesIO()
    Image.fromarray(portrait(320)).save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True)
class Figures:
    """What a process answers Prometheus."""

    port: int

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of one series; None where there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        samples = (sample for family in families for sample in family.samples)
        return next((s.value for s in samples if s.name == name and s.labels == labels), None)


@pytest.fixture
def fleet(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    running = Fleet(settings, tmp_path)
    yield running
    running.stop()


def start(fleet: Fleet) -> tuple[Figures, Figures]:
    """Start a server and a worker that answer Prometheus."""
    rest, worker = Figures(free_port()), Figures(free_port())
    server = fleet.start("rest", METRICS_PORT=str(rest.port), LOG_LEVEL="debug")
    fleet.start("worker", METRICS_PORT=str(worker.port), LOG_LEVEL="debug")
    assert until(lambda: "Listening at" in server.log.read_text(), SECONDS), server.last_lines()
    assert until(lambda: answers(fleet.url), SECONDS), server.last_lines()
    return rest, worker


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=60).ok
    except requests.ConnectionError:
        return False


def logged(fleet: Fleet, number: int) -> list[dict[str, Any]]:
    """A process's own log: every line of it is JSON."""
    return [json.loads(line) for line in fleet.processes[number].log.read_text().splitlines()]


def test_counts_after_a_few_pictures(fleet: Fleet) -> None:
    rest, worker = start(fleet)
    for name, data in (("face", somebody()), ("nobody", NOBODY), ("cut", CUT)):
        fleet.scan(data, name)
    fleet.wait()
    fleet.scan(NOBODY, "its other name")
    requests.get(f"{fleet.url}/no/such/route", timeout=60)
    requests.post(f"{fleet.url}/scan/image/text", data=b"text", timeout=60)
    scanned = {"route": "/scan/image/<name:name>", "method": "POST"}
    assert rest("facefleet_requests_total", **scanned, status="202") == 3
    assert rest("facefleet_requests_total", **scanned, status="200") == 1
    assert rest("facefleet_requests_total", **scanned, status="415") == 1
    assert rest("facefleet_requests_total", route="none", method="GET", status="404") == 1
    assert rest("facefleet_request_seconds_count", **scanned) == 5
    totals = {"published": 3, "confirmed": 3, "rejected": 0}
    assert {name: rest(f"facefleet_{name}_total") for name in totals} == totals
    gauges = {
        "accepted": 3,
        "done": 2,
        "failed": 1,
        "erased": 0,
        "in_flight": 0,
        "redis_up": 1,
        "groups_lag": 1,
    }
    assert {name: rest(f"facefleet_{name}") for name in gauges} == gauges
    assert until(lambda: worker("facefleet_pictures_total", outcome="failed") == 1, SECONDS)
    assert until(lambda: worker("facefleet_pictures_total", outcome="done") == 2, SECONDS)
    assert worker("facefleet_faces_total") == worker("facefleet_index_faces") == 1
    assert worker("facefleet_batch_pictures_sum") == 3
    assert worker("facefleet_stage_seconds_count", stage="decode") == 3
    assert worker("facefleet_stage_seconds_count", stage="detect") == 2
    assert worker("facefleet_stage_seconds_count", stage="encode") in {1, 2, 3}
    for stage in ("match", "commit"):
        assert worker("facefleet_stage_seconds_count", stage=stage) in {1, 2}, stage
    assert worker("facefleet_stage_seconds_sum", stage="detect") > 0  # type: ignore[operator]  # or the test fails
    for figures in (rest, worker):
        assert figures("process_resident_memory_bytes") > 10_000_000  # type: ignore[operator]  # as above


def test_the_oldest_picture_in_flight_and_a_redis_that_is_away(fleet: Fleet) -> None:
    rest = Figures(free_port())
    server = fleet.start("rest", METRICS_PORT=str(rest.port))
    assert until(lambda: answers(fleet.url), SECONDS), server.last_lines()
    fleet.scan(NOBODY, "nobody")
    assert rest("facefleet_in_flight") == 1
    assert until(lambda: (rest("facefleet_oldest_in_flight_seconds") or 0) > 1, SECONDS)
    server.stop()
    fleet.start("rest", METRICS_PORT=str(rest.port), REDIS_PORT=str(free_port()))
    assert until(lambda: answers(fleet.url), SECONDS)
    assert (rest("facefleet_redis_up"), rest("facefleet_in_flight")) == (0, None)


def test_a_request_is_followed_from_its_call_to_its_commit(fleet: Fleet) -> None:
    start(fleet)
    with closing(Tail(fleet.settings, "#")) as tail:
        hashes = {name: fleet.scan(data, name) for name, data in (("nobody", NOBODY), ("cut", CUT))}
        fleet.wait()
        assert until(lambda: sum(".worker." in key for key, _ in tail.read()) == 4, SECONDS)
    lines = [(key.rsplit(".", 2)[1:], json.loads(line)) for key, line in tail.lines]
    for name, outcome in (("nobody", "done"), ("cut", "failed")):
        told = [(part, level, line) for (part, level), line in lines if line.get("hash") == hashes[name]]
        assert sorted((part, level, line["event"]) for part, level, line in told) == [
            ("rest", "info", f"POST /scan/image/{name}"),
            ("worker", "debug", "taken"),
            ("worker", "info", outcome),
        ]
        (request_id,) = {line["request_id"] for *_, line in told}
        own = [
            line
            for number in (0, 1)
            for line in logged(fleet, number)
            if line.get("request_id") == request_id
        ]
        assert sorted((line["level"], line["event"]) for line in own) == sorted(
            (level, line["event"]) for _, level, line in told
        )


def test_a_dead_letter_says_what_it_claims_to_be(fleet: Fleet) -> None:
    _, worker = start(fleet)
    accept(fleet.redis, "ab" * 32, "odd")
    with (
        closing(Tail(fleet.settings, "#.worker.info")) as tail,
        closing(Publisher(fleet.settings)) as publisher,
    ):
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, {"version": "odd", "hash": "ab" * 32}, b"")
        assert until(lambda: bool(tail.read()), SECONDS)
    (_, line) = tail.lines[0]
    assert json.loads(line)["event"] == "dead letter"
    assert json.loads(line)["hash"] == "ab" * 32
    assert worker("facefleet_dead_letters_total") == 1
