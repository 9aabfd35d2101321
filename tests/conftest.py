"""Servers of the tests' own, on free ports, started once and stopped at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from redis import Redis
from xdist.scheduler import LoadScopeScheduling

from faces.config import Settings
from faces.messaging.amqp import connect
from faces.messaging.topology import DEAD, PICTURES_QUEUE, RETRY_DELAYS, VIDEOS, declare, retry_queue
from faces.store.client import RedisClient
from local.photographs import fetch_photographs
from local.process import ROOT, free_port
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.support.servers.debian_redis import debian_server

MODELS = ROOT / "var" / "models"  # converted once, kept by the checksum of their source


# Files whose tests must not run beside each other, or share what is made once.
GROUPS = {
    "e2e/test_deploy.py": "deploy",
    "e2e/test_deploy_ports.py": "deploy",
    "integration/test_images.py": "images",
    "integration/test_compose.py": "images",
    "integration/test_pods.py": "images",
    "e2e/page/people/test_people.py": "people",
    "e2e/page/people/test_person.py": "people",
    "e2e/page/people/test_review.py": "people",
}
# What takes longest, the longest first, so that no process is left with it alone at the end.
LONGEST = (
    "integration/test_images.py",
    "integration/test_compose.py",
    "integration/test_pods.py",
    "e2e/test_deploy.py",
    "e2e/test_deploy_ports.py",
    "e2e/test_crashes.py",
    "e2e/test_main_job.py",
    "e2e/test_chaos.py",
    "e2e/test_faults_network.py",
    "e2e/test_faults_poison.py",
    "integration/worker/test_other_processors.py",
    "e2e/page/test_pictures.py",
    "e2e/page/people/test_people.py",
    "e2e/test_milvus.py",
)

hypothesis.settings.register_profile("facefleet", deadline=None)  # a slow machine is no failure
hypothesis.settings.load_profile("facefleet")


class Files(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Keeps the tests of a file, and files of a group, in one process, where servers and images are made once.

    pytest-xdist's own `loadgroup` marks tests by names that pytest 9 takes no notice of.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return GROUPS.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """Distribute tests by `Files`."""
    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    ranks = {file: rank for rank, file in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(file_of(item.nodeid), len(ranks)))


def file_of(nodeid: str) -> str:
    """The file of a test, below the folder of all tests."""
    return nodeid.partition("::")[0].removeprefix("tests/")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from _running(RedisServer(tmp_path_factory.mktemp("redis"), free_port()))


@pytest.fixture(scope="session", params=["embedded", "debian"])
def each_redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """The embedded server, then Debian's own."""
    binary = None
    if request.param == "debian" and (binary := debian_server()) is None:
        missing("Debian's redis-server: apt-get install redis-server")
    yield from _running(RedisServer(tmp_path_factory.mktemp("redis"), free_port(), binary))


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    server = RabbitServer(tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port(), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store_settings(redis_server: RedisServer) -> Settings:
    """Settings for an empty Redis."""
    return emptied(redis_server)


@pytest.fixture
def redis(store_settings: Settings) -> Iterator[RedisClient]:
    """A link to an empty Redis."""
    with closing(RedisClient(store_settings)) as opened:
        yield opened


@pytest.fixture
def each_settings(each_redis_server: RedisServer) -> Settings:
    """Settings for each kind of Redis, empty."""
    return emptied(each_redis_server)


@pytest.fixture
def each_link(each_settings: Settings) -> Iterator[RedisClient]:
    """A client of each kind of Redis, empty."""
    with closing(RedisClient(each_settings)) as opened:
        yield opened


@pytest.fixture
def settings(store_settings: Settings, rabbit_server: RabbitServer) -> Settings:
    """Settings for an empty Redis and a RabbitMQ with empty queues."""
    return purged(store_settings, rabbit_server)


@pytest.fixture(scope="session")
def photographs() -> Path:
    """Folder with the sample photographs, fetched once and kept."""
    return fetch_photographs(ROOT / "var" / "photographs")


@pytest.fixture(scope="session")
def reference() -> Any:
    """The library whose answers ours are held against."""
    from worker.engine.library import load_library  # noqa: PLC0415 -- half a second that few tests need

    return load_library()


def emptied(server: RedisServer) -> Settings:
    """Empty a server of the tests' own, and give settings that lead to it."""
    with Redis(port=server.port) as client:
        client.flushall()
    return replace(Settings(), redis_port=server.port, redis_host="127.0.0.1", rabbitmq_host="127.0.0.1")


def purged(settings: Settings, server: RabbitServer) -> Settings:
    """Empty the queues of a server of the tests' own, and give settings that lead to it as well."""
    both = replace(settings, rabbitmq_port=server.port)
    with closing(connect(both)) as connection:
        channel = connection.channel()
        declare(channel, both)
        for name in (PICTURES_QUEUE, VIDEOS, DEAD, *map(retry_queue, RETRY_DELAYS)):
            channel.queue_purge(name)
    return both


def missing(what: str) -> None:
    """Skip where something is not installed; in CI everything has to be."""
    if os.environ.get("CI"):
        pytest.fail(f"CI lacks {what}")
    pytest.skip(f"needs {what}")


def environ(settings: Settings, folder: Path) -> dict[str, str]:
    """Environment of a process of ours under test, without the timing of engines, half of a worker's start."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", ""),
        "PYTHONPATH": str(ROOT),
        "MODEL_CACHE": str(MODELS),
        "ENGINE": "onnxruntime",
        "REDIS_HOST": settings.redis_host,
        "REDIS_PORT": str(settings.redis_port),
        "RABBITMQ_HOST": settings.rabbitmq_host,
        "RABBITMQ_PORT": str(settings.rabbitmq_port),
    }


def _running(server: RedisServer) -> Iterator[RedisServer]:
    server.start()
    yield server
    server.stop()
