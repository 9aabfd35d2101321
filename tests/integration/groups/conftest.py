"""A fleet with some pictures, and its groups."""

from __future__ import annotations

import pytest

from faces.store.client import RedisClient
from groups.follower import Follower
from tests.integration.groups.fleet import ANN, BOB, EVE, Fleet, caught_up, follower


@pytest.fixture
def fleet(redis: RedisClient) -> Fleet:
    """Five pictures of Ann, three of Bob, one of both, one of Eve."""
    fleet = Fleet(redis)
    fleet.commit({n: [ANN] for n in range(5)})
    fleet.commit({n: [BOB] for n in range(5, 8)})
    fleet.commit({8: [ANN, BOB], 9: [EVE]})
    return fleet


@pytest.fixture
def kept(fleet: Fleet) -> Follower:
    return caught_up(follower(fleet.redis))
