"""Writes count as done once replicas have them, where REDIS_REPLICAS says so."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from faces import api_key
from faces.config import Settings
from faces.errors import StoreError
from faces.store import client
from faces.store.access import api_keys, sessions
from faces.store.client import RedisClient
from faces.store.events import stream, watches, webhooks
from faces.store.events.webhooks import Webhook
from faces.store.keys import API_KEYS
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from local.process import free_port, until
from local.redis import RedisServer
from tests.support.committing import Worker, found, picture


@pytest.fixture
def replica(store_settings: Settings, tmp_path: Path) -> Iterator[RedisServer]:
    """A replica of the tests' Redis, in step with it."""
    server = RedisServer(tmp_path, free_port())
    server.start()
    with Redis(port=server.port) as connection:
        connection.replicaof("127.0.0.1", store_settings.redis_port)
        assert until(lambda: connection.info("replication")["master_link_status"] == "up", 60)
    yield server
    server.process.kill(signal.SIGCONT)
    server.stop()


@pytest.fixture
def replicated(
    store_settings: Settings, replica: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisClient]:
    monkeypatch.setattr(client, "REPLICATION_TIMEOUT", 0.3)
    assert replica.port
    with closing(RedisClient(replace(store_settings, redis_replicas=1))) as opened:
        assert until(lambda: confirmed(opened), 60), "a primary counts a replica once it has acknowledged"
        yield opened


def confirmed(redis: RedisClient) -> bool:
    try:
        redis.confirm()
    except StoreError:
        return False
    return True


def test_what_was_answered_is_on_the_replica(replicated: RedisClient, replica: RedisServer) -> None:
    worker = Worker(replicated)
    with Redis(port=replica.port) as connection:
        for number in range(50):
            accept(replicated, picture(number), str(number))
            assert connection.exists(f"status:{picture(number)}")
            assert worker.commit(found(number, 1)) == [Outcome.DONE]
            assert b'"done"' in (connection.get(f"status:{picture(number)}") or b"")
            erase(replicated, picture(number))
            assert not connection.exists(f"status:{picture(number)}")


def test_without_the_replica_nothing_is_answered_and_reading_goes_on(
    replicated: RedisClient, replica: RedisServer
) -> None:
    worker = Worker(replicated)
    for number in range(4):
        accept(replicated, picture(number), str(number))
    worker.commit(found(0, 1))
    replica.process.kill(signal.SIGSTOP)
    steps = (
        lambda: accept(replicated, picture(9), "9"),
        lambda: worker.commit(found(1, 1)),
        lambda: worker.commit(found(1, 1)),  # done already, but nobody has confirmed it
        lambda: fail(replicated, picture(2), "truncated", "cut off"),
        lambda: fail(replicated, picture(2), "truncated", "cut off"),
        lambda: erase(replicated, picture(3)),
        lambda: erase(replicated, picture(3)),
        replicated.confirm,
    )
    for step in steps:
        with pytest.raises(StoreError, match="0 of 1 confirmed"):
            step()
    assert queries.matching_names(replicated, picture(0)) == ["1"]
    assert queries.counts(replicated).unaccounted == 0
    replica.process.kill(signal.SIGCONT)
    assert until(lambda: confirmed(replicated), 60)
    assert worker.commit(found(1, 1)) == [Outcome.ALREADY]
    assert erase(replicated, picture(3)).state is None


def kept(redis: RedisClient) -> list[Callable[[], object]]:
    """What people set up, and take back, each in two steps."""
    key, _ = api_key.create("a client", ("scan",))
    hook = Webhook(id="", url="https://example.org", secret="s")  # noqa: S106 -- of nobody
    watch = watches.add(redis, "a name")
    added = webhooks.add(redis, hook, stream.BEGINNING)
    token = sessions.begin(redis, key.id)
    return [
        lambda: api_keys.add(redis, key),
        lambda: api_keys.remove(redis, key.id),
        lambda: api_keys.remove(redis, key.id),  # done already, but nobody has confirmed it
        lambda: watches.add(redis, "a name"),
        lambda: watches.add(redis, "another"),
        lambda: watches.remove(redis, watch.id),
        lambda: webhooks.add(redis, hook, stream.BEGINNING),
        lambda: webhooks.replay(redis, added.id, stream.BEGINNING),
        lambda: webhooks.remove(redis, added.id),
        lambda: sessions.end(redis, token),
    ]


def test_what_people_set_up_or_revoke_is_on_the_replica(
    replicated: RedisClient, replica: RedisServer
) -> None:
    with Redis(port=replica.port) as connection:
        for number in range(20):
            key, _ = api_key.create(str(number), ("scan",))
            api_keys.add(replicated, key)
            assert connection.hexists(API_KEYS, key.id)
            assert api_keys.remove(replicated, key.id)
            assert not connection.hexists(API_KEYS, key.id)


def test_without_the_replica_nothing_that_people_set_up_or_revoke_is_answered(
    replicated: RedisClient, replica: RedisServer
) -> None:
    steps = kept(replicated)
    replica.process.kill(signal.SIGSTOP)
    for step in steps:
        with pytest.raises(StoreError, match="0 of 1 confirmed"):
            step()
    replica.process.kill(signal.SIGCONT)
    assert until(lambda: confirmed(replicated), 60)
    for step in steps:
        step()


def test_without_the_setting_nobody_waits(store_settings: Settings, replica: RedisServer) -> None:
    replica.process.kill(signal.SIGSTOP)
    with closing(RedisClient(store_settings)) as redis:
        accept(redis, picture(0), "0")
        redis.confirm()
    assert queries is not None
