"""The faults of the saved groups, in a consistent view."""

from __future__ import annotations

from collections.abc import Iterator

from faces.errors import StoreError
from faces.store.client import RedisClient
from groups.checking.lists import check_lists
from groups.checking.membership import check_membership
from groups.checking.statements import check_statements
from groups.checking.summaries import check_summaries
from groups.clustering.rule import Rule
from groups.follower import Follower
from groups.saved.reached import read_reached

TRIES = 5


def faults(redis: RedisClient, rule: Rule | None = None) -> list[str]:
    """Check the saved groups; returns a sentence for each fault.

    Pictures committed or erased after the saved journal position are ignored.

    Raises:
        StoreError: Redis is unavailable, or its data changes too quickly for a consistent view.
    """
    for _ in range(TRIES):
        before = read_reached(redis)
        try:
            found = list(_faults(redis, rule or Rule()))
        except StoreError:
            found = []
            if read_reached(redis) == before:
                raise
        if read_reached(redis) == before:
            return found
    raise StoreError("the groups kept changing during the check: try again when fewer pictures arrive")


def _faults(redis: RedisClient, rule: Rule) -> Iterator[str]:
    follower = Follower(redis, rule)
    follower.load()
    yield from check_membership(redis, follower)
    yield from check_summaries(redis, follower)
    yield from check_lists(redis, follower)
    yield from check_statements(follower)
    for group in sorted(follower.partition.members.groups()):
        mate = follower.grouping.mate(group)
        if mate is not None:
            yield f"groups {group} and {mate} are within their limit but not merged"
