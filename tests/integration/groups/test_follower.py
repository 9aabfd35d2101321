"""Groups follow the journal, and are the same after a restart or a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from faces.errors import StoreError
from faces.store.client import Session
from faces.store.keys import GROUP_LEASE, HOME
from faces.store.people import appearances, directory
from faces.store.people.statements import NewStatement, submit
from groups.checking.faults import faults
from groups.clustering.rule import Rule
from groups.follower import Follower, LeaseLostError
from tests.integration.groups.fleet import (
    ANN,
    BOB,
    EVE,
    Fleet,
    answering,
    caught_up,
    faces_named,
    follower,
    ids,
    shown,
    sizes,
)
from tests.support.writing import picture


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

    for some in ({20: [ANN]}, {21: [EVE, BOB]}, {22: [4]}):
        fleet.commit(some)
        with monkeypatch.context() as patch:
            patch.setattr(Session, "commit", failing)
            with pytest.raises(StoreError):
                kept.step()
        kept.load()
        caught_up(kept)
    assert sizes(fleet.redis) == [7, 5, 2, 1]
    assert faults(fleet.redis) == []


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
