"""A Redis at its memory limit: nothing is lost, searching and erasing go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from faces.config import Settings
from faces.errors import StoreFullError
from faces.store import memory
from faces.store.access import sessions
from faces.store.access.audit_log import AuditLog, last
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.outcome import Outcome
from faces.store.pictures.removal import removing
from tests.support.committing import Worker, found, picture
from tests.support.full_redis import limit_memory
from tests.support.rules import faults, read_all


@pytest.fixture
def limited(each_link: RedisClient, each_settings: Settings) -> Iterator[RedisClient]:
    """A Redis of which a test may set the limit."""
    yield each_link
    limit_memory(each_settings, 0)


def until_full(step: Callable[[int], object], message: str) -> int:
    """Take steps, numbered from 0, until Redis rejects the same one three times; return how many it took.

    Connections that come and go take some of the memory, too, so it may take a step that it has rejected once.
    """
    taken, reasons = 0, list[str]()
    while len(reasons) < 3:
        try:
            step(taken)
        except StoreFullError as error:
            reasons.append(str(error))
        else:
            taken, reasons = taken + 1, []
    assert all(message in reason for reason in reasons)
    return taken


def test_new_pictures_are_rejected_before_the_limit_is_reached(
    limited: RedisClient, each_settings: Settings
) -> None:
    worker = Worker(limited)
    accept(limited, picture(0), "0")
    worker.commit(found(0, 1))
    limit_memory(each_settings, 1 << 20)
    waiting = until_full(
        lambda number: accept(limited, picture(1 + number), str(1 + number)),
        "no new pictures are accepted: it uses 9",
    )
    counts = queries.counts(limited)
    assert (counts.in_flight, counts.unaccounted) == (waiting, 0)
    assert waiting > 10
    batch = [found(number, 1) for number in range(1, 9)]
    assert set(worker.commit(*batch)) == {Outcome.DONE}, "the last tenth is kept for what was accepted"


def test_at_the_limit_a_commit_waits_and_erasing_makes_room(
    limited: RedisClient, each_settings: Settings
) -> None:
    worker = Worker(limited)
    for number in range(400):
        accept(limited, picture(number), str(number))
    limit_memory(each_settings, 1 << 20)
    done = until_full(lambda number: worker.commit(found(number, 1)), "memory limit")
    before = read_all(limited)
    assert (len(before.encodings), faults(before)) == (done, [])
    assert len(queries.matching_names(limited, picture(0))) == done - 1
    AuditLog(limited, 100).note("key", "erase", picture(0), "request")
    assert [entry.did for entry in last(limited, 10)] == ["erase"]
    assert sessions.key_id_of(limited, sessions.begin(limited, "key")) == "key", (
        "who erases may have to sign in"
    )
    for number in range(done // 2):
        with removing(limited, picture(number)):
            assert erase(limited, picture(number)).state == "done"
    assert worker.commit(found(done, 1)) == [Outcome.DONE], "the worker has followed what was erased"
    state = read_all(limited)
    assert faults(state) == []
    assert len(state.encodings) == done - done // 2 + 1


def test_what_takes_the_memory_and_what_doubling_takes(redis: RedisClient, store_settings: Settings) -> None:
    limit_memory(store_settings, 0)
    worker = Worker(redis)
    for number in range(40):
        accept(redis, picture(number), str(number))
    worker.commit(*(found(number, number % 2) for number in range(40)))
    survey = memory.survey(redis)
    assert survey.edges == 2 * (20 * 19 // 2)
    assert survey.limit == 0
    assert survey.parts["encodings"] > 40 * 512
    assert sum(survey.parts.values()) < survey.used
    linear = sum(survey.parts.values()) - survey.parts["matches"]
    assert survey.doubled == survey.used + linear + 3 * survey.parts["matches"]


def test_a_large_collection_is_sampled(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(redis)
    for number in range(60):
        accept(redis, picture(number), str(number))
    worker.commit(*(found(number, 1) for number in range(60)))
    exact = memory.survey(redis)
    monkeypatch.setattr(memory, "SAMPLE", 30)
    sampled = memory.survey(redis)
    assert sampled.edges == exact.edges == 60 * 59 // 2, "all pictures have as many matches"
    assert 0.8 < sampled.parts["matches"] / exact.parts["matches"] < 1.25
