"""One gRPC server and one quick worker for the tests of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from faces.config import Settings
from faces.store.client import RedisClient
from local.process import Process
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import emptied, environ
from tests.support.clients.rpc_client import Client, connected, running


@dataclass(frozen=True)
class Fleet:
    """A server, what its client calls it by, and the Redis behind it."""

    settings: Settings
    redis: RedisClient
    process: Process
    port: int
    client: Client


@pytest.fixture(scope="module")
def both(redis_server: RedisServer, rabbit_server: RabbitServer) -> Settings:
    """Settings for an empty Redis, and RabbitMQ."""
    return replace(emptied(redis_server), rabbitmq_port=rabbit_server.port)


@pytest.fixture(scope="module")
def fleet(both: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A server that keeps originals and needs no key, and a worker."""
    folder = tmp_path_factory.mktemp("fleet")
    variables = {"IMAGE_STORE_URL": f"file://{folder}/images", "FETCH_ALLOW": "127.0.0.1"}
    worker = Process("worker", folder)
    worker.start(
        [sys.executable, "-m", "tests.support.processes.quick_worker"], environ(both, folder) | variables
    )
    redis = RedisClient(both)
    try:
        with (
            running(both, folder, **variables) as (process, port),
            connected(port) as client,
        ):
            yield Fleet(both, redis, process, port, client)
    finally:
        redis.close()
        worker.kill()
