"""TLS, health, reflection, probes, and settings that forbid a start."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from benchmarks.system.proxy import Proxy
from faces.config import Settings
from local.process import free_port, until
from tests.conftest import environ
from tests.integration.rpc.conftest import Fleet
from tests.support.clients.rpc_client import SECONDS, Client, refused, running

UNKNOWN = "0" * 64
SERVICE = "facefleet.v1.Facefleet"


@contextmanager
def health(port: int) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)


def serving(stub: Any, service: str = "") -> bool:
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def test_the_health_service_says_serving(fleet: Fleet) -> None:
    with health(fleet.port) as stub:
        assert until(lambda: serving(stub) and serving(stub, SERVICE), SECONDS)


@pytest.mark.parametrize("away", ["redis", "rabbitmq"])
def test_without_redis_or_rabbitmq_it_does_not_serve(both: Settings, tmp_path: Path, away: str) -> None:
    """The probe for traffic passes without RabbitMQ: matches are still answered, and sending says why not."""
    metrics = free_port()
    with Proxy(getattr(both, f"{away}_port")) as proxy:
        change: dict[str, Any] = {f"{away}_port": proxy.port}
        settings = replace(both, **change)
        with running(settings, tmp_path, METRICS_PORT=str(metrics)) as (_, port), health(port) as stub:
            assert until(lambda: serving(stub), SECONDS)
            assert probed(metrics, "readyz")
            proxy.refusing = True
            proxy.cut()
            assert until(lambda: not serving(stub), SECONDS)
            assert until(lambda: probed(metrics, "readyz") == (away == "rabbitmq"), SECONDS)
            assert probed(metrics, "healthz")
            proxy.refusing = False
            assert until(lambda: serving(stub), SECONDS)


def probed(port: int, path: str) -> bool:
    return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=60).ok


@contextmanager
def channel(port: int, authority: trustme.CA | None = None) -> Iterator[grpc.Channel]:
    if authority is None:
        with grpc.insecure_channel(f"localhost:{port}") as opened:
            yield opened
        return
    trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    with grpc.secure_channel(f"localhost:{port}", trusted) as opened:
        yield opened


def test_over_tls_the_certificate_is_shown_and_nothing_else_passes(both: Settings, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    pem = tmp_path / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with running(both, tmp_path, RPC_CERT=str(pem)) as (_, port):
        with channel(port, authority) as opened:
            assert refused(lambda: Client(opened).image(UNKNOWN)) == ("NOT_FOUND", "not_found")
        for other in (None, stranger):
            with channel(port, other) as opened:
                assert refused(lambda opened=opened: Client(opened).image(UNKNOWN))[0] == "UNAVAILABLE"  # type: ignore[misc] # mypy does not see the default


def test_reflection_tells_the_proto(fleet: Fleet) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{fleet.port}") as opened:
        reflected = ProtoReflectionDescriptorDatabase(opened)
        assert {SERVICE, "grpc.health.v1.Health"} <= set(reflected.get_services())
        file = reflected.FindFileContainingSymbol(SERVICE)
    (service,) = file.service
    assert {method.name for method in service.method} >= {"ScanImage", "Watch"}


@pytest.mark.parametrize("what", ["port", "certificate"])
def test_a_setting_that_cannot_be_used_forbids_a_start(both: Settings, tmp_path: Path, what: str) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if what == "port" else free_port()
        variables = {"RPC_PORT": str(port), "RPC_CERT": str(bad) if what == "certificate" else ""}
        done = subprocess.run(
            [sys.executable, "-m", "rpc"], env=environ(both, tmp_path) | variables,
            capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    assert done.returncode == 2
    assert "RPC_PORT" in done.stderr if what == "port" else "RPC_CERT" in done.stderr


def test_calls_are_counted(both: Settings, tmp_path: Path) -> None:
    metrics = free_port()
    with (
        running(both, tmp_path, METRICS_PORT=str(metrics)) as (_, port),
        channel(port) as opened,
    ):
        refused(lambda: Client(opened).image(UNKNOWN))
        labels = f'method="RPC",route="/{SERVICE}/GetImage",status="NOT_FOUND"'
        line = f"facefleet_requests_total{{{labels}}} 1.0"
        url = f"http://127.0.0.1:{metrics}/metrics"
        assert until(lambda: line in requests.get(url, timeout=60).text, SECONDS)
