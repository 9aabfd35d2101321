"""TLS and passwords towards Redis and RabbitMQ: real servers, with certificates made here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from faces.config import Settings
from faces.errors import BrokerError, StoreError
from faces.messaging.amqp import Publisher, connect
from faces.store.client import RedisClient
from local.process import Process, free_port, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import missing
from tests.support.servers.debian_redis import debian_server
from tests.support.servers.secure import HOST, Certificates, SecureRabbit, SecureRedis

CANARY = "c4n4ry-in-a-coal-mine"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def running(server: RedisServer | RabbitServer) -> Iterator[None]:
    server.start()
    yield
    server.stop()
    assert server.process.ended()


@pytest.fixture(scope="module")
def redis_settings(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Settings]:
    if (binary := debian_server()) is None:  # the embedded server is built without TLS
        missing("Debian's redis-server: apt-get install redis-server")
    server = SecureRedis(tmp_path_factory.mktemp("secure-redis"), certificates, binary, CANARY)
    settings = Settings(
        redis_host=HOST,
        redis_port=server.tls_port,
        redis_tls=True,
        redis_ca=certificates.ca,
        redis_cert=certificates.ours,
        redis_username="fleet",
        redis_password=CANARY,
    )
    with running(server):
        yield settings


@pytest.fixture(scope="module")
def rabbit_settings(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Settings]:
    server = SecureRabbit(tmp_path_factory.mktemp("secure-rabbitmq"), certificates)
    settings = Settings(
        rabbitmq_host=HOST,
        rabbitmq_port=server.tls_port,
        rabbitmq_tls=True,
        rabbitmq_ca=certificates.ca,
        rabbitmq_cert=certificates.ours,
        publish_timeout=5.0,
    )
    with running(server):
        yield settings


def refused(settings: Settings) -> str:
    """The sentence with which Redis cannot be used."""
    with closing(RedisClient(settings)) as redis, pytest.raises(StoreError) as caught:
        redis.check()
    return str(caught.value)


def not_connected(settings: Settings) -> str:
    """The sentence with which RabbitMQ cannot be used."""
    with pytest.raises(BrokerError) as caught:
        connect(settings)
    return str(caught.value)


def test_redis_over_tls_as_a_user_with_a_password(redis_settings: Settings) -> None:
    with closing(RedisClient(redis_settings)) as redis:
        assert redis.ask((0, "SET", "key", "value"), (0, "GET", "key"))[1] == b"value"


def test_redis_with_a_wrong_authority(redis_settings: Settings, certificates: Certificates) -> None:
    assert "certificate is not accepted" in refused(replace(redis_settings, redis_ca=certificates.wrong_ca))


def test_redis_with_an_authority_that_the_system_trusts_is_not_enough(redis_settings: Settings) -> None:
    assert "certificate is not accepted" in refused(replace(redis_settings, redis_ca=""))


def test_redis_under_another_name(redis_settings: Settings) -> None:
    assert "certificate is not accepted" in refused(replace(redis_settings, redis_host="127.0.0.1"))


def test_redis_without_our_certificate(redis_settings: Settings) -> None:
    assert "Redis is not reachable" in refused(replace(redis_settings, redis_cert=""))


def test_redis_spoken_to_in_plain(redis_settings: Settings) -> None:
    assert "Redis is not reachable" in refused(replace(redis_settings, redis_tls=False))


@pytest.mark.parametrize(
    "changes", [{"redis_password": f"wrong-{CANARY}"}, {"redis_username": "nobody"}], ids=str
)
def test_redis_with_a_wrong_password(redis_settings: Settings, changes: dict[str, Any]) -> None:
    sentence = refused(replace(redis_settings, **changes))
    assert sentence == "Redis rejected our credentials: check REDIS_USERNAME and REDIS_PASSWORD"


def test_rabbitmq_over_tls(rabbit_settings: Settings) -> None:
    with closing(Publisher(rabbit_settings)) as publisher:
        publisher.publish("toWorker", "picture", {}, b"confirmed")


@pytest.mark.parametrize(
    "change",
    [
        lambda settings, certificates: replace(settings, rabbitmq_ca=certificates.wrong_ca),
        lambda settings, _: replace(settings, rabbitmq_ca=""),
        lambda settings, _: replace(settings, rabbitmq_host="127.0.0.1"),
    ],
    ids=["wrong authority", "the system's authorities", "another name"],
)
def test_rabbitmq_with_a_certificate_that_proves_nothing(
    rabbit_settings: Settings,
    certificates: Certificates,
    change: Callable[[Settings, Certificates], Settings],
) -> None:
    assert "certificate is not accepted" in not_connected(change(rabbit_settings, certificates))


def test_rabbitmq_without_our_certificate(rabbit_settings: Settings) -> None:
    assert "RabbitMQ is not reachable" in not_connected(replace(rabbit_settings, rabbitmq_cert=""))


@pytest.mark.parametrize(
    "changes",
    [{"rabbitmq_password": CANARY}, {"rabbitmq_user": "nobody"}, {"rabbitmq_vhost": "/elsewhere"}],
    ids=str,
)
def test_rabbitmq_with_a_wrong_password(rabbit_settings: Settings, changes: dict[str, Any]) -> None:
    sentence = not_connected(replace(rabbit_settings, **changes))
    assert sentence.startswith("RabbitMQ rejected our credentials: check RABBITMQ_USER")
    assert CANARY not in sentence


@pytest.mark.parametrize("password", [CANARY, f"wrong-{CANARY}"], ids=["right", "wrong"])
@pytest.mark.parametrize("part", ["rest", "worker"])
def test_no_password_is_seen_in_logs_answers_or_arguments(
    redis_settings: Settings, rabbit_settings: Settings, tmp_path: Path, part: str, password: str
) -> None:
    process, port = Process(part, tmp_path), free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", ""),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "LOG_LEVEL": "debug",
        "REST_PORT": str(port),
        "REDIS_HOST": HOST,
        "REDIS_PORT": str(redis_settings.redis_port),
        "REDIS_TLS": "yes",
        "REDIS_CA": redis_settings.redis_ca,
        "REDIS_CERT": redis_settings.redis_cert,
        "REDIS_USERNAME": "fleet",
        "REDIS_PASSWORD": password,
        "RABBITMQ_HOST": HOST,
        "RABBITMQ_PORT": str(rabbit_settings.rabbitmq_port),
        "RABBITMQ_TLS": "yes",
        "RABBITMQ_CA": rabbit_settings.rabbitmq_ca,
        "RABBITMQ_CERT": rabbit_settings.rabbitmq_cert,
        "RABBITMQ_PASSWORD": password,
    }
    process.start([sys.executable, "-m", part], variables)
    try:
        sign = "rejected our credentials" if part == "rest" or password != CANARY else "started:"
        assert until(lambda: sign in process.log.read_text(), 60), process.last_lines(20)
        answers = _answers(port) if part == "rest" else ""
        arguments = b"".join(_arguments(process.pid))
    finally:
        process.kill()
        assert process.ended()
    assert part.encode() in arguments
    assert CANARY not in process.log.read_text() + answers + arguments.decode()


def _answers(port: int) -> str:
    """What a stranger is told."""
    paths = ("/readyz", f"/match/{'0' * 64}", f"/status/{'0' * 64}")
    return "".join(requests.get(f"http://127.0.0.1:{port}{path}", timeout=60).text for path in paths)


def _arguments(parent: int | None) -> Iterator[bytes]:
    """Argument lists of a process and its children, as everyone on the machine sees them."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in {int(folder.name), above}:
                yield (folder / "cmdline").read_bytes()
