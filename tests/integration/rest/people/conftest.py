from __future__ import annotations

from collections.abc import Iterator

import pytest

from faces.store.client import RedisClient
from groups.follower import Follower
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.integration.rest.people.asking import ANN, BOB, EVE


@pytest.fixture
def kept(redis: RedisClient) -> Iterator[Follower]:
    """Four pictures of Ann, two of Bob, one of both, one of Eve; the groups are kept meanwhile."""
    Fleet(redis).commit({0: [ANN], 1: [ANN], 2: [ANN], 3: [ANN], 4: [BOB], 5: [BOB], 6: [ANN, BOB], 7: [EVE]})
    process = caught_up(follower(redis))
    with answering(process):
        yield process
