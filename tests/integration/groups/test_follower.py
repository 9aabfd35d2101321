"""Groups follow the journal and what people say, and are the same after a restart, a fault or a restored Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from faces.errors import (
    ContradictionError,
    GroupsError,
    MismatchError,
    StaleError,
    StatementError,
    StoreError,
    UnknownError,
)
from faces.store.access.audit_log import last
from faces.store.client import RedisClient, Session
from faces.store.keys import GROUP_LEASE, GROUPS, HOME, JOURNAL, META, STATEMENTS
from faces.store.people import appearances, directory, statements
from faces.store.people.statements import NewStatement, submit, withdraw
from groups.checking import faults
from groups.follower import Follower, LeaseLostError
from groups.rule import Rule
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.support.writing import picture

ANN, BOB, EVE = 1, 2, 3


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


def sizes(redis: RedisClient) -> list[int]:
    return [person.count for person in directory.people(redis).people]


def ids(redis: RedisClient) -> list[str]:
    return [person.id for person in directory.people(redis).people]


def test_faces_of_one_person_are_one_group(fleet: Fleet, kept: Follower) -> None:
    assert sizes(fleet.redis) == [6, 4, 1]
    assert faults(fleet.redis) == []
    both = appearances.of_picture(fleet.redis, picture(8))
    assert [person.id for person in both if person] == ids(fleet.redis)[:2]


def test_faces_of_a_person_come_nearest_first(fleet: Fleet, kept: Follower) -> None:
    (ann, *_) = directory.people(fleet.redis).people
    found = appearances.faces(fleet.redis, ann)
    assert {face.picture_id for face in found} == {picture(n) for n in (0, 1, 2, 3, 4, 8)}
    assert [face.distance for face in found] == sorted(face.distance for face in found)
    assert len(appearances.faces(fleet.redis, ann, among=3)) in {2, 3}


def test_an_erased_picture_leaves_its_groups(fleet: Fleet, kept: Follower) -> None:
    fleet.erase(0, 9)
    caught_up(kept)
    assert sizes(fleet.redis) == [5, 4]
    assert appearances.of_picture(fleet.redis, picture(9)) == []
    assert faults(fleet.redis) == []


def test_a_picture_that_comes_again_is_grouped_again(fleet: Fleet, kept: Follower) -> None:
    fleet.erase(0)
    fleet.commit({0: [ANN]})
    caught_up(kept)
    assert sizes(fleet.redis) == [6, 4, 1]
    assert faults(fleet.redis) == []


def test_a_name_stays_on_the_same_people_after_a_thousand_more_pictures(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    ann, bob, _ = ids(redis)
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ann,), name="Ann"))
        submit(redis, NewStatement(kind="name", people=(bob,), name="Bob"))
    before = {name: faces_named(redis, name) for name in ("Ann", "Bob")}
    for first in range(100, 1100, 100):
        fleet.commit({n: [n % 40] for n in range(first, first + 100)})  # Ann, Bob, Eve and 37 others
    caught_up(kept)
    assert faults(redis) == []
    for name, faces in before.items():
        assert faces <= faces_named(redis, name)
    assert faces_named(redis, "Ann") == shown(ANN) | {(picture(8), 0)}
    assert faces_named(redis, "Bob") == {(picture(n), 0) for n in (5, 6, 7)} | shown(BOB, 100) | {
        (picture(8), 1)
    }


def shown(person: int, first: int = 0) -> set[tuple[str, int]]:
    early = {(picture(n), 0) for n in range(5)} if first == 0 else set()
    return early | {(picture(n), 0) for n in range(100, 1100) if n % 40 == person}


def faces_named(redis: RedisClient, name: str) -> set[tuple[str, int]]:
    (person,) = directory.named(redis, name)
    return {(face.picture_id, face.index) for face in appearances.faces(redis, person)}


def test_a_restart_goes_on_where_it_was(fleet: Fleet, kept: Follower) -> None:
    with answering(kept):
        submit(fleet.redis, NewStatement(kind="name", people=(ids(fleet.redis)[0],), name="Ann"))
    kept.lease.give()
    again = follower(fleet.redis)
    assert state(again) == state(kept)
    assert again.reached == kept.reached
    fleet.commit({20: [ANN]})
    caught_up(again)
    assert directory.named(fleet.redis, "Ann")[0].count == 7
    assert faults(fleet.redis) == []


def state(kept: Follower) -> Any:
    members = kept.partition.members
    groups = {group: sorted(members.of_group(group)) for group in members.groups()}
    return groups, kept.partition.versions, kept.partition.successors, list(kept.statement_log.standing())


@pytest.mark.parametrize("kept_back", [True, False], ids=["before EXEC", "after EXEC"])
def test_a_fault_in_any_step_neither_doubles_nor_loses(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *, kept_back: bool
) -> None:
    kept = follower(fleet.redis)
    real: Callable[..., Any] = Session.commit

    def failing(session: Session, *commands: Any) -> Any:
        if not kept_back:
            real(session, *commands)
        raise StoreError("the reply was lost")

    for shown in ({20: [ANN]}, {21: [EVE, BOB]}, {22: [4]}):
        fleet.commit(shown)
        with monkeypatch.context() as patch:
            patch.setattr(Session, "commit", failing)
            with pytest.raises(StoreError):
                kept.step()
        kept.load()
        caught_up(kept)
    assert sizes(fleet.redis) == [7, 5, 2, 1]
    assert faults(fleet.redis) == []


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


def test_one_process_alone_keeps_the_groups(fleet: Fleet, kept: Follower) -> None:
    other = Follower(fleet.redis, Rule())
    assert not other.lease.take()
    fleet.redis.ask((HOME, "DEL", GROUP_LEASE))  # it has expired
    assert other.lease.take()
    fleet.commit({20: [ANN]})
    with pytest.raises(LeaseLostError):
        kept.step()
    other.load()
    caught_up(other)
    assert faults(fleet.redis) == []


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


def test_why_a_face_is_where_it_is(fleet: Fleet, kept: Follower) -> None:
    redis = fleet.redis
    with answering(kept):
        submit(redis, NewStatement(kind="name", people=(ids(redis)[0],), name="Ann"))
        told = statements.explain(redis, f"{picture(0)}:0")
        with pytest.raises(UnknownError):
            statements.explain(redis, f"{picture(0)}:7")
    assert (told["person"], told["statements"], told["alone"]) == (ids(redis)[0], [1], False)
    assert 0.2 < told["distance"] < 0.5
