"""Probes of the server and a worker, as an orchestrator sees them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import replace

import requests

from faces.probe import holds
from local.process import free_port, until
from tests.e2e.conftest import SECONDS, Fleet

THREADS = 2


def body(port: int, probe: str) -> dict[str, object]:
    answer: dict[str, object] = requests.get(f"http://127.0.0.1:{port}/{probe}", timeout=60).json()
    return answer


def counts_as_ready(port: int) -> bool:
    """Whether alerts take a worker for one that consumes."""
    told = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
    return "\nfacefleet_worker_ready 1.0\n" in told


def test_a_worker_is_ready_once_it_consumes(fleet: Fleet) -> None:
    port = free_port()
    settings = fleet.settings
    fleet.settings = replace(settings, rabbitmq_port=free_port())
    fleet.start("tests.support.processes.quick_worker", METRICS_PORT=str(port))
    assert until(lambda: holds(port, "healthz"), SECONDS)
    assert until(lambda: body(port, "readyz") == {"state": "waiting for RabbitMQ"}, SECONDS)
    assert not counts_as_ready(port)
    fleet.processes[0].stop()
    fleet.settings = settings
    fleet.start("tests.support.processes.quick_worker", METRICS_PORT=str(port))
    assert until(lambda: holds(port, "readyz"), SECONDS)
    assert until(lambda: counts_as_ready(port), SECONDS)


def test_the_server_and_its_probes_answer_while_requests_do_not_arrive(fleet: Fleet) -> None:
    port = free_port()
    fleet.start("rest", METRICS_PORT=str(port), REST_THREADS=str(THREADS))
    assert until(lambda: holds(port, "readyz"), SECONDS)
    with ExitStack() as stack:
        for _ in range(4 * THREADS):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", fleet.settings.rest_port)))
            silent.sendall(b"POST /scan/image/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        assert requests.get(f"{fleet.url}/", timeout=60).ok
        assert all(holds(port, probe) for probe in ("healthz", "readyz") for _ in range(5))


def test_without_rabbitmq_the_server_is_ready_and_says_so(fleet: Fleet) -> None:
    port = free_port()
    fleet.start("rest", METRICS_PORT=str(port), RABBITMQ_PORT=str(free_port()))
    assert until(lambda: holds(port, "readyz"), SECONDS)
    assert body(port, "readyz")["rabbitmq"] == "away"


def test_without_redis_the_server_is_alive_and_not_ready(fleet: Fleet) -> None:
    port = free_port()
    fleet.start("rest", METRICS_PORT=str(port), REDIS_PORT=str(free_port()))
    assert until(lambda: holds(port, "healthz"), SECONDS)
    assert body(port, "readyz")["redis"] == "away"
    assert not holds(port, "readyz")
