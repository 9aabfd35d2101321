"""Eight processes that accept, commit, fail and erase the same few pictures, read all the while."""

from __future__ import annotations

import multiprocessing
import random
import time

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import Sending, accept_all
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from local.redis import RedisServer
from tests.conftest import emptied
from tests.support.committing import Worker, found, picture
from tests.support.rules import faults, read_all

WRITERS, PICTURES, PEOPLE, NAMES, SECONDS = 8, 24, 4, 12, 4.0


def write(settings: Settings, seed: int) -> None:
    """Do this and that with pictures and names that all writers share."""
    rng = random.Random(seed)
    worker = Worker(RedisClient(settings))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        chosen = rng.sample(range(PICTURES), rng.randint(1, 4))
        names = [f"name {rng.randrange(NAMES)}" for _ in chosen]
        accept_all(worker.redis, [Sending(picture(n), name) for n, name in zip(chosen, names, strict=True)])
        match rng.randrange(6):
            case 0:
                erase(worker.redis, picture(chosen[0]))
            case 1:
                fail(worker.redis, picture(chosen[0]), "truncated", "cut off")
            case _:
                worker.commit(*(found(number, number % PEOPLE, number % 3) for number in chosen))


def test_nobody_ever_sees_a_rule_broken(each_redis_server: RedisServer) -> None:
    settings = emptied(each_redis_server)
    redis = RedisClient(settings)
    fork = multiprocessing.get_context("fork")  # what is imported and compiled here is there at once
    writers = [fork.Process(target=write, args=(settings, seed)) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    looks = 0
    while any(writer.is_alive() for writer in writers):
        state = read_all(redis)
        assert faults(state) == []
        assert len(state.names) <= NAMES
        looks += 1
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert faults(read_all(redis)) == []
    assert queries.counts(redis).erased > 0
    assert looks > 10
    redis.close()
