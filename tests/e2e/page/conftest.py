"""A fleet that keeps its originals, and a browser in front of it; both once a module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.e2e.conftest import Fleet, fleet_on
from tests.support.clients.browser import Watched, chromium

SENT = ("astronaut.png", "obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "coffee.png")


@pytest.fixture(scope="module")
def empty_fleet(
    redis_server: RedisServer, rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server, a worker and a groups process, without any picture yet."""
    folder = tmp_path_factory.mktemp("fleet")
    with fleet_on(redis_server, rabbit_server, folder) as running:
        running.start_all(IMAGE_STORE_URL=f"file://{folder}/originals", FETCH_ALLOW="127.0.0.1")
        running.start("groups")
        yield running


@pytest.fixture(scope="module")
def sent(empty_fleet: Fleet, photographs: Path) -> Mapping[str, str]:
    """The hashes of the sample photographs, by name; all are processed."""
    for name in SENT:
        empty_fleet.scan((photographs / name).read_bytes(), name)
    empty_fleet.wait()
    return {name: hashlib.sha256((photographs / name).read_bytes()).hexdigest() for name in SENT}


@pytest.fixture(scope="module")
def page_fleet(empty_fleet: Fleet, sent: Mapping[str, str]) -> Fleet:
    """The fleet with the sample photographs in it."""
    return empty_fleet


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def watched(browser: Browser, empty_fleet: Fleet) -> Iterator[Watched]:
    """A page, and what it complains of: that fails the test at its end."""
    opened = Watched(browser, empty_fleet.url)
    yield opened
    opened.close()
    opened.check()


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
