"""Watching events: what is told, from where, and what one watcher costs the others."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any

import pytest

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.events import stream
from rest.events.follower import Follower
from rest.events.selection import Selection
from rest.problems import ProblemError
from rpc import watching
from rpc.call import Call
from rpc.watching import Watching
from tests.integration.rpc.conftest import Fleet
from tests.support.clients.rpc_client import SECONDS, refused
from tests.support.drawing import drawing


def picture(width: int, height: int) -> bytes:
    return drawing(1, (width, height))


def note(redis: RedisClient, count: int) -> list[str]:
    """Write events; their ids."""
    return [
        found.decode() for found in redis.ask(*(stream.note("accepted", f"{n:064x}") for n in range(count)))
    ]


def told(replies: Any, count: int) -> list[Any]:
    """The next events, without the replies that only move the position on."""
    return list(islice((reply for reply in replies if reply.HasField("event")), count))


def test_a_watcher_hears_what_becomes_of_a_picture(fleet: Fleet) -> None:
    replies = fleet.client.watch(kind=["done"], prefix="seen/")
    assert next(replies).id
    fleet.client.scan(picture(80, 101), "unseen")
    sent = fleet.client.scan(picture(80, 100), "seen/one")
    (reply,) = told(replies, 1)
    assert (reply.event.kind, reply.event.hash, reply.event.faces) == ("done", sent.hash, 1)
    assert (list(reply.event.names), reply.event.model) == (["seen/one"], "quick")
    assert reply.event.finished >= reply.event.accepted > 0
    replies.cancel()


def test_a_watcher_resumes_after_what_it_has_seen(fleet: Fleet) -> None:
    replies = fleet.client.watch()
    start = next(replies).id
    ids = note(fleet.redis, 5)
    assert [reply.id for reply in told(replies, 3)] == ids[:3]
    replies.cancel()
    resumed = fleet.client.watch(after=ids[2])
    assert [reply.id for reply in told(resumed, 2)] == ids[3:]
    from_start = fleet.client.watch(after=start)
    assert [reply.id for reply in told(from_start, 5)] == ids
    for watch in (resumed, from_start):
        watch.cancel()


def test_a_watcher_is_told_what_it_has_missed_for_good(fleet: Fleet) -> None:
    note(fleet.redis, 1)
    replies = fleet.client.watch(after="1-1")
    gap = next(reply for reply in replies if reply.HasField("gap"))
    assert gap.gap.after == "1-1"
    (first,) = told(fleet.client.watch(after="0-0"), 1)
    assert stream.order(gap.id) < stream.order(first.id)
    replies.cancel()


def test_what_is_no_event_is_refused(fleet: Fleet) -> None:
    assert refused(lambda: list(fleet.client.watch(after="x"))) == ("INVALID_ARGUMENT", "bad_request")
    assert refused(lambda: list(fleet.client.watch(kind=["x"]))) == ("INVALID_ARGUMENT", "bad_request")


def test_one_who_does_not_read_holds_nobody_up(fleet: Fleet) -> None:
    """And gets everything once it reads: it is read anew, not kept for it."""
    after = stream.latest(fleet.redis)
    stalled = fleet.client.watch(after=after)
    next(stalled)
    others = fleet.client.watch(after=after)
    ids = note(fleet.redis, 3000)  # some 500 kB, far more than flow control lets on its way
    assert [reply.id for reply in told(others, 3000)] == ids
    assert fleet.client.image(fleet.client.scan(picture(81, 101)).hash, wait=SECONDS).state == "done"
    assert [reply.id for reply in told(stalled, 3000)] == ids
    for watch in (stalled, others):
        watch.cancel()


def test_a_watcher_that_leaves_makes_room(both: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHERS", 1)

    async def run(redis: RedisClient, follower: Follower, pool: Executor) -> None:
        served, call = Watching(redis, follower), Call(None, pool)
        first, second = (served.replies("0-0", Selection(), call) for _ in range(2))
        await anext(first)
        with pytest.raises(ProblemError, match="the most allowed"):
            await anext(second)
        await first.aclose()
        assert (await anext(served.replies("0-0", Selection(), call))).id == "0-0"
        served.close()

    with closing(RedisClient(both)) as redis, ThreadPoolExecutor(1) as pool:
        asyncio.run(run(redis, Follower(redis), pool))
