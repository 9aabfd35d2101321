"""A server and a groups process on made-up faces of which crops alone are kept, once for all screens of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import requests

from faces.image_store.pictures import ImageStore
from local.process import until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.e2e.conftest import SECONDS, Fleet, fleet_on
from tests.e2e.page.people.shown import ask, everybody
from tests.support.album import FAR, NEAR, fill

ANN, BOB, CAT, DAN, EVE, FAY = range(1, 7)
ALBUM: dict[str, Sequence[tuple[int, float]]] = {
    **{f"ann {n}.jpg": [(ANN, NEAR)] for n in range(9)},
    **{f"bob {n}.jpg": [(BOB, NEAR)] for n in range(6)},
    **{f"cat {n}.jpg": [(CAT, NEAR)] for n in range(5)},
    **{f"dan {n}.jpg": [(DAN, NEAR)] for n in range(4)},
    **{f"eve {n}.jpg": [(EVE, NEAR)] for n in range(3)},
    **{f"fay {n}.jpg": [(FAY, NEAR)] for n in range(2)},
    "ann alike.jpg": [(ANN, FAR)],
    "bob alike.jpg": [(BOB, FAR)],
    "cat alike.jpg": [(CAT, FAR)],
}


@pytest.fixture(scope="package")
def empty_fleet(
    redis_server: RedisServer, rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server and a groups process; the album stands for what workers would have found."""
    folder = tmp_path_factory.mktemp("people")
    store = f"file://{folder}/crops"
    with fleet_on(redis_server, rabbit_server, folder) as running:
        fill(running.redis, ImageStore(store), ALBUM)
        for part in ("rest", "groups"):
            running.start(part, IMAGE_STORE_URL=store, IMAGE_STORE_KEEPS="crops")
        assert until(running._answers, SECONDS), running.processes[0].last_lines()
        assert until(lambda: len(everybody(running)) == 9, SECONDS), running.processes[1].last_lines()
        yield running


@pytest.fixture(autouse=True)
def nothing_was_said(empty_fleet: Fleet) -> Iterator[None]:
    """Each test begins with what the groups process made of the album."""
    yield
    for statement in ask(empty_fleet, "/v1/statements")["statements"]:
        if statement["withdrawn"] is None:
            requests.delete(f"{empty_fleet.url}/v1/statements/{statement['number']}", timeout=60)
