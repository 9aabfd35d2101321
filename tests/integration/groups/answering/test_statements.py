"""What people say is obeyed, recorded and withdrawn, and what cannot be is refused."""

from __future__ import annotations

import pytest

from faces.errors import ContradictionError, GroupsError, StaleError, StatementError, UnknownError
from faces.store.access.audit_log import last
from faces.store.client import RedisClient
from faces.store.keys import GROUPS, HOME, STATEMENTS
from faces.store.people import directory, statements
from faces.store.people.statements import NewStatement, submit, withdraw
from groups.checking.faults import faults
from groups.follower import Follower
from tests.integration.groups.fleet import ANN, Fleet, answering, caught_up, follower, ids
from tests.support.writing import picture


def test_statements_are_obeyed_recorded_and_withdrawn(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    ann, bob, eve = ids(redis)
    with answering(kept):
        named = submit(redis, NewStatement(kind="name", people=(ann,), name=" Ann ", key="k1", request="r1"))
        submit(redis, NewStatement(kind="same", people=(ann, eve)))
        assert directory.person(redis, eve) == directory.person(redis, ann)
        assert directory.people(redis).people[0].count == 7
        submit(redis, NewStatement(kind="not", people=(ann,), faces=(f"{picture(0)}:0",)))
        assert directory.people(redis).people[0].count == 6
        submit(redis, NewStatement(kind="hide", people=(bob,)))
        assert [p.id for p in directory.people(redis, hidden=True).people] == [bob]
        assert withdraw(redis).kind == "hide"
        assert withdraw(redis, key="k1").kind == "not"
        assert directory.people(redis).people[0].count == 7
    caught_up(kept)
    assert (named.name, named.key) == ("Ann", "k1")
    assert faults(redis) == []
    assert [s.withdrawn is None for s in statements.history(redis)] == [False, False, True, True]
    entries = [(entry.key, entry.did, entry.picture_id) for entry in last(redis, 10)]
    assert entries[-1] == ("k1", "submit", "statement 1")
    assert ("k1", "withdraw", "statement 3") in entries


def test_what_cannot_be_said_is_refused_and_changes_nothing(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    ann, bob, _ = ids(redis)
    seen = {ann: directory.people(redis).people[0].version}
    face = f"{picture(0)}:0"
    with answering(kept):
        submit(redis, NewStatement(kind="different", people=(ann, bob), seen=seen))
        before = redis.ask((HOME, "HLEN", STATEMENTS), (GROUPS, "HGETALL", "state"))
        for said, error in (
            (NewStatement(kind="name", people=(ann,), name="Ann", seen=seen), StaleError),
            (NewStatement(kind="same", people=(ann, bob)), ContradictionError),
            (NewStatement(kind="name", people=("999",), name="Ann"), UnknownError),
            (NewStatement(kind="name", people=("Ann",), name="Ann"), UnknownError),
            (NewStatement(kind="not", people=(ann,), faces=(f"{picture(99)}:0",)), UnknownError),
            (NewStatement(kind="not", people=(ann,), faces=("nonsense",)), UnknownError),
            (NewStatement(kind="not", people=(ann,)), StatementError),
            (NewStatement(kind="same", people=(ann,)), StatementError),
            (NewStatement(kind="same", people=(ann, ann)), StatementError),
            (NewStatement(kind="assign", people=(ann,), faces=(face,)), ContradictionError),
            (NewStatement(kind="name", people=(ann,), name="A\nnn"), StatementError),
            (NewStatement(kind="nonsense", people=(ann,)), StatementError),  # type: ignore[arg-type]  # as a client may
        ):
            with pytest.raises(error):
                submit(redis, said)
        assert redis.ask((HOME, "HLEN", STATEMENTS)) == before[:1]
    assert faults(redis) == []


def test_an_id_that_was_merged_leads_on(redis: RedisClient) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [ANN]})
    kept = caught_up(follower(redis))
    (first,) = ids(redis)
    with answering(kept):
        submit(redis, NewStatement(kind="split", people=(first,), faces=(f"{picture(0)}:0",)))
        (made,) = ids(redis)
        withdraw(redis)
    caught_up(kept)
    assert directory.person(redis, made) is None or directory.person(redis, made) == directory.person(
        redis, first
    )
    assert faults(redis) == []


def test_nobody_answers_where_no_process_keeps_groups(
    fleet: Fleet, kept: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "ANSWER_TIMEOUT", 1)
    with pytest.raises(GroupsError, match="python -m groups"):
        submit(fleet.redis, NewStatement(kind="name", people=(ids(fleet.redis)[0],), name="Ann"))
    caught_up(kept)
    assert statements.history(fleet.redis) == []


def test_why_a_face_is_where_it_is(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ids(redis)[0],), name="Ann"))
        told = statements.explain(redis, f"{picture(0)}:0")
        with pytest.raises(UnknownError):
            statements.explain(redis, f"{picture(0)}:7")
    assert (told["person"], told["statements"], told["alone"]) == (ids(redis)[0], [1], False)
    assert 0.2 < told["distance"] < 0.5
