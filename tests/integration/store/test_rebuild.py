"""Making the edges anew while the fleet works."""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from faces.config import Settings
from faces.errors import MismatchError
from faces.store.client import RedisClient
from faces.store.collection import journal, rebuild
from faces.store.collection.data_version import DataVersion, agree
from faces.store.collection.journal import Entry
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from local.redis import RedisServer
from tests.conftest import emptied
from tests.support.committing import found, picture
from tests.support.rebuilding import Memory, filled, run
from tests.support.rules import faults, read_all

STRICT = DataVersion("test", 0.1)  # noise of 0.1 about each person: nearly nobody matches any longer


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PIECE", 4)


def test_a_rebuild_gives_the_edges_of_the_new_tolerance(each_link: RedisClient) -> None:
    filled(each_link, 0, 10)
    erase(each_link, picture(2))
    assert len(faults(read_all(each_link), 0.1)) > 5
    assert run(each_link, STRICT) == [(4, 11), (8, 11), (11, 11)]
    assert faults(read_all(each_link), 0.1) == []
    agree(each_link, STRICT)
    assert each_link.ask((5, "DBSIZE"), (0, "EXISTS", "rebuild")) == [0, 0]


def test_a_rebuild_mends_damaged_edges(redis: RedisClient) -> None:
    worker = filled(redis, 0, 10)
    before = read_all(redis)
    redis.ask((4, "DEL", picture(1)), (4, "SADD", picture(2), picture(3)))
    run(redis, worker.data_version)
    assert read_all(redis) == before


def test_readers_see_the_old_edges_until_the_new_ones_are_whole(redis: RedisClient) -> None:
    filled(redis, 0, 10)
    for _ in rebuild.rebuild(redis, STRICT, Memory(0.1)):
        assert faults(read_all(redis)) == []
    assert faults(read_all(redis), 0.1) == []


def test_a_killed_rebuild_goes_on_where_it_was(redis: RedisClient) -> None:
    filled(redis, 0, 10)
    first = rebuild.rebuild(redis, STRICT, Memory(0.1))
    assert [next(first), next(first)] == [(4, 10), (8, 10)]
    del first
    (edges,) = redis.ask((5, "DBSIZE"))
    assert run(redis, STRICT) == [(4, 10), (8, 10), (10, 10)]
    assert faults(read_all(redis), 0.1) == []
    assert edges <= len(read_all(redis).matches)


def test_the_fleet_works_on_during_a_rebuild(redis: RedisClient) -> None:
    worker = filled(redis, 0, 10)
    passing = rebuild.rebuild(redis, STRICT, Memory(0.1))
    next(passing)
    filled(redis, 10, 15)
    erase(redis, picture(1))
    erase(redis, picture(12))
    accept(redis, picture(1), "again")
    worker.commit(found(1, 0))
    assert faults(read_all(redis)) == []
    list(passing)
    assert faults(read_all(redis), 0.1) == []
    assert picture(12) not in read_all(redis).encodings
    accept(redis, picture(20), "late")
    with pytest.raises(
        MismatchError, match=r"tolerance 0\.1, this process runs with 0\.6: set MATCH_TOLERANCE=0\.1"
    ):
        worker.commit(found(20, 1))
    assert faults(read_all(redis), 0.1) == []


def test_a_worker_caught_between_watch_and_exec_by_the_swap_writes_nothing(redis: RedisClient) -> None:
    worker = filled(redis, 0, 4)
    accept(redis, picture(5), "late")
    ours = [found(5, 1)]
    comparison = worker.known.compare(ours)

    def swap_first(tail: Sequence[Entry], who: Any) -> Sequence[Collection[str]]:
        run(redis, STRICT)
        return comparison.catch_up(tail, who)

    with pytest.raises(MismatchError):
        worker.commit_with(ours, swap_first)
    assert faults(read_all(redis), 0.1) == []
    assert picture(5) not in read_all(redis).encodings


def test_two_rebuilds_to_the_same_help_each_other(redis: RedisClient) -> None:
    filled(redis, 0, 10)
    first, second = (rebuild.rebuild(redis, STRICT, Memory(0.1)) for _ in range(2))
    for _ in range(2):
        next(first)
    for _ in range(3):
        next(second)
    filled(redis, 10, 14)
    assert list(second)[-1] == (14, 14)
    list(first)
    assert faults(read_all(redis), 0.1) == []


def test_a_rebuild_to_something_else_is_refused_until_the_first_is_abandoned(redis: RedisClient) -> None:
    filled(redis, 0, 6)
    first = rebuild.rebuild(redis, STRICT, Memory(0.1))
    next(first)
    with pytest.raises(MismatchError, match=r"tolerance 0\.1 is in progress"):
        run(redis, DataVersion("test", 0.3))
    rebuild.abandon(redis)
    with pytest.raises(MismatchError, match="abandoned"):
        next(first)
    run(redis, DataVersion("test", 0.3))
    assert faults(read_all(redis), 0.3) == []


def write(settings: Settings, first: int, last: int) -> None:
    filled(RedisClient(settings), first, last)


def test_a_rebuild_ends_though_workers_commit_all_the_while(
    redis: RedisClient, store_settings: Settings
) -> None:
    worker = filled(redis, 0, 10)
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=(store_settings, n, n + 60)) for n in (100, 200, 300)]
    for writer in writers:
        writer.start()
    rounds = 0
    while any(writer.is_alive() for writer in writers):
        run(redis, worker.data_version)
        assert faults(read_all(redis)) == []
        rounds += 1
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert (rounds > 1, len(read_all(redis).encodings)) == (True, 190)


def test_the_swap_survives_a_restart_of_the_server(each_redis_server: RedisServer) -> None:
    redis = RedisClient(emptied(each_redis_server))
    filled(redis, 0, 8)
    run(redis, STRICT)
    before = read_all(redis)
    each_redis_server.process.kill()
    each_redis_server.start()
    redis.close()
    assert read_all(redis) == before
    assert faults(before, 0.1) == []
    assert len(journal.read(redis, 0, 100)) == 8
    redis.close()
