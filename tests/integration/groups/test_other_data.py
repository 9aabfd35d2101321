"""Groups when the data is another: a restored Redis, another model."""

from __future__ import annotations

import pytest

from faces.errors import MismatchError
from faces.store.keys import HOME, JOURNAL, META
from faces.store.people import directory
from faces.store.people.statements import NewStatement, submit
from groups.checking.faults import faults
from groups.clustering.rule import Rule
from groups.follower import Follower
from tests.integration.groups.fleet import Fleet, answering, caught_up, faces_named, follower, ids
from tests.support.writing import picture


def test_another_journal_makes_groups_anew_and_names_find_their_faces(
    fleet: Fleet, kept: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = fleet.redis
    ann = ids(redis)[0]
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ann,), name="Ann"))
        submit(redis, NewStatement(kind="not", people=(ann,), faces=(f"{picture(0)}:0",)))
    before = faces_named(redis, "Ann")
    redis.ask((HOME, "RPOP", JOURNAL), (HOME, "RPUSH", JOURNAL, b"-" + bytes(32)))
    kept.load()
    with pytest.raises(MismatchError):
        kept.step()
    monkeypatch.setattr("groups.follower.PIECE", 3)
    kept.start_over()
    kept.step()
    kept.lease.give()  # another process goes on in the middle
    kept = follower(redis)
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ann,), name="Ann Lee"))
    kept.lease.give()
    kept = caught_up(follower(redis))
    assert directory.named(redis, "Ann Lee")[0].id == ann
    assert faces_named(redis, "Ann Lee") == before
    assert faults(redis) == []


def test_another_model_keeps_who_is_in_which_group(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ids(redis)[0],), name="Ann"))
    before = faces_named(redis, "Ann")
    for number in range(10):
        key = picture(number)
        (encodings,) = redis.ask((3, "LRANGE", key, 0, -1))
        # the same faces in a space that is turned: every distance stays
        redis.ask((3, "DEL", key), (3, "RPUSH", key, *(e[4:] + e[:4] for e in encodings)))
    redis.ask((HOME, "HSET", META, "model", "another"))
    assert faults(redis) != []
    caught_up(kept)
    assert faces_named(redis, "Ann") == before
    assert faults(redis) == []


def test_the_process_says_that_it_is_alive_while_it_reads_another_model(fleet: Fleet, kept: Follower) -> None:
    """All faces are read in one step: at a million it takes longer than a probe waits."""
    redis = fleet.redis
    kept.lease.give()
    beats: list[int] = []
    watched = Follower(redis, Rule(), beat=lambda: beats.append(1))
    assert watched.lease.take()
    watched.load()
    redis.ask((HOME, "HSET", META, "model", "another"))
    beats.clear()
    caught_up(watched)
    assert len(beats) > len(watched.partition.table)
