"""Names that come with pictures become statements, once, and never against what a user has stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from client.importing.stating import Outcome, grouped_with, state
from faces.store.client import RedisClient
from faces.store.people import directory, statements
from faces.store.people.statements import Kind, NewStatement, submit
from groups.checking.faults import faults
from groups.follower import Follower
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.support.writing import picture

ANN, BOB, EVE = 1, 2, 3
FAR = 0.6  # from what is typical of a person: a face that no group of theirs takes by itself
ANNS, BOBS = (0, 1, 2, 3), (4, 5, 6)


@pytest.fixture
def kept(redis: RedisClient) -> Iterator[Follower]:
    """Three near pictures of Ann and a far one, two near ones of Bob and a far one, one of Eve."""
    Fleet(redis).commit(
        {0: [ANN], 1: [ANN], 2: [ANN], 3: [(ANN, FAR)], 4: [BOB], 5: [BOB], 6: [(BOB, FAR)], 7: [EVE]}
    )
    process = caught_up(follower(redis))
    with answering(process):
        yield process
    assert faults(redis) == []


def face(number: int) -> str:
    return f"{picture(number)}:0"


def stated(redis: RedisClient, numbers: Mapping[str, Sequence[int]]) -> dict[str, Outcome]:
    faces = {name: [face(number) for number in some] for name, some in numbers.items()}
    return {outcome.name: outcome for outcome in state(redis, faces)}


def say(redis: RedisClient, kind: Kind, number: int, *faces: int, name: str = "") -> statements.Statement:
    """A user's statement about whoever has a face."""
    (who,) = grouped_with(redis, [face(number)])
    assert who is not None
    given = NewStatement(kind=kind, people=(who.id,), faces=tuple(map(face, faces)), name=name)
    return submit(redis, given)


def name_of(redis: RedisClient, number: int) -> str:
    (who,) = grouped_with(redis, [face(number)])
    assert who is not None
    return who.name


@pytest.mark.usefixtures("kept")
def test_everybody_gets_their_name_and_all_their_faces(redis: RedisClient) -> None:
    assert len({who.id for n in ANNS for who in grouped_with(redis, [face(n)]) if who}) == 2
    found = stated(redis, {"Ann": ANNS, "Bob": BOBS})
    assert [(found[name].already, found[name].stated) for name in ("Ann", "Bob")] == [(3, 1), (2, 1)]
    assert {name_of(redis, n) for n in ANNS} == {"Ann"}
    assert {name_of(redis, n) for n in BOBS} == {"Bob"}
    assert name_of(redis, 7) == ""
    assert not any(outcome.left for outcome in found.values())


@pytest.mark.usefixtures("kept")
def test_again_nothing_is_stated(redis: RedisClient) -> None:
    stated(redis, {"Ann": ANNS, "Bob": BOBS})
    before = statements.history(redis)
    found = stated(redis, {"Ann": ANNS, "Bob": BOBS})
    assert statements.history(redis) == before
    assert [(found[name].already, found[name].stated) for name in ("Ann", "Bob")] == [(4, 0), (3, 0)]


@pytest.mark.usefixtures("kept")
def test_a_face_in_the_group_of_another_goes_to_its_person(redis: RedisClient) -> None:
    found = stated(redis, {"Ann": (0, 1, 3), "Bob": (*BOBS, 2)})
    assert (found["Bob"].stated, found["Bob"].left) == (2, {})
    assert name_of(redis, 2) == "Bob"
    assert name_of(redis, 0) == "Ann"


@pytest.mark.usefixtures("kept")
def test_who_has_no_group_gets_a_new_person(redis: RedisClient) -> None:
    found = stated(redis, {"Ann": (0, 1), "Bob": (2,)})
    assert found["Bob"].id is not None
    assert (found["Bob"].already, found["Bob"].stated) == (0, 1)
    assert [name_of(redis, n) for n in (0, 1, 2)] == ["Ann", "Ann", "Bob"]
    again = stated(redis, {"Ann": (0, 1), "Bob": (2,)})
    assert (again["Bob"].already, again["Bob"].stated) == (1, 0)


@pytest.mark.usefixtures("kept")
def test_a_person_with_the_name_already_gets_the_faces(redis: RedisClient) -> None:
    eve = say(redis, "name", 7, name="Ann")
    found = stated(redis, {"Ann": ANNS})
    assert found["Ann"].id == eve.people[0]
    assert found["Ann"].stated == 4


@pytest.mark.usefixtures("kept")
def test_people_with_other_names_keep_their_faces(redis: RedisClient) -> None:
    say(redis, "name", 0, name="Annie")
    found = stated(redis, {"Ann": ANNS})
    assert (found["Ann"].stated, len(found["Ann"].left)) == (0, 3)
    assert "it is Annie (person" in found["Ann"].left[face(0)]
    assert [name_of(redis, n) for n in ANNS] == ["Annie", "Annie", "Annie", "Ann"]


@pytest.mark.usefixtures("kept")
def test_namesakes_are_not_guessed_at(redis: RedisClient) -> None:
    say(redis, "name", 4, name="Ann")
    say(redis, "name", 7, name="Ann")
    found = stated(redis, {"Ann": ANNS})
    assert found["Ann"].left.keys() == {face(n) for n in ANNS}
    assert "both named Ann" in found["Ann"].left[face(0)]


@pytest.mark.usefixtures("kept")
def test_what_contradicts_a_user_is_left_alone(redis: RedisClient) -> None:
    say(redis, "name", 0, name="Ann")
    refused = say(redis, "not", 0, 2)
    found = stated(redis, {"Ann": ANNS})
    assert found["Ann"].left.keys() == {face(2)}
    assert "not this person" in found["Ann"].left[face(2)]
    assert found["Ann"].stated == 1
    assert name_of(redis, 3) == "Ann"
    assert name_of(redis, 2) == ""
    assert refused in statements.history(redis)


@pytest.mark.usefixtures("kept")
def test_a_name_that_cannot_be_given_is_told(redis: RedisClient) -> None:
    found = stated(redis, {"A" * 500: ANNS})
    (outcome,) = found.values()
    assert outcome.id is None
    assert len(outcome.left) == len(ANNS)
    assert directory.named(redis, "A" * 500) == []


@pytest.mark.usefixtures("kept")
def test_a_face_that_is_in_no_group_is_told(redis: RedisClient) -> None:
    found = stated(redis, {"Ann": (*ANNS, 99)})
    assert found["Ann"].left == {face(99): "it is not in a group yet: import again later"}
    assert found["Ann"].already == 3
