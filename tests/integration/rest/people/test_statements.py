"""What is said of people over HTTP: corrections, everything undone, questions and reasons."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from faces.store.client import RedisClient
from faces.store.events import stream
from faces.store.people import statements
from faces.store.pictures.erase import erase
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.integration.rest.people.asking import ANN, BOB, all_pages, get, ids, say
from tests.support.server import problem
from tests.support.writing import picture


@pytest.mark.usefixtures("kept")
def test_merging_and_undoing_it(client: FlaskClient) -> None:
    ann, bob, _ = ids(client)
    made = say(client, "same", ann, bob)
    assert made["people"] == [ann, bob]
    assert get(client, f"/v1/people/{bob}")["id"] == ann
    assert get(client, f"/v1/people/{bob}")["faces"] == 8
    withdrawn = client.delete(f"/v1/statements/{made['number']}").get_json()
    assert withdrawn["withdrawn"] > made["time"]
    assert ids(client)[:2] == [ann, bob]
    assert problem(client.delete(f"/v1/statements/{made['number']}")) == (404, "not_found")
    for name in ("A", "B", "C"):
        say(client, "name", ann, name=name)
    history = all_pages(client, "/v1/statements", "statements", limit=1)
    assert [one["number"] for one in history] == [4, 3, 2, 1]
    assert history[-1] == withdrawn


@pytest.mark.usefixtures("kept")
def test_what_cannot_be_said_is_a_problem(client: FlaskClient) -> None:
    ann, bob, _ = ids(client)
    version = get(client, f"/v1/people/{ann}")["version"]
    say(client, "name", ann, name="Ann", versions={ann: version})

    def refused(kind: str, *people: str, **more: Any) -> tuple[int, str]:
        return problem(client.post("/v1/statements", json={"kind": kind, "people": people, **more}))

    assert refused("name", ann, name="Eve", versions={ann: version}) == (409, "stale")
    say(client, "different", ann, bob)
    assert refused("same", ann, bob) == (409, "contradiction")
    assert refused("same", ann) == (400, "bad_statement")
    assert refused("name", "999") == (404, "not_found")
    assert refused("not", ann, faces=[{"hash": picture(99), "face": 0}]) == (404, "not_found")
    assert refused("praise", ann) == (400, "bad_request")
    assert get(client, f"/v1/people/{ann}")["name"] == "Ann"


@pytest.mark.usefixtures("kept")
def test_each_statement_is_an_event_of_everybody_concerned(client: FlaskClient, redis: RedisClient) -> None:
    ann, bob, _ = ids(client)
    start = stream.latest(redis)
    made = say(client, "same", ann, bob)
    client.delete(f"/v1/statements/{made['number']}")
    told = [(e.kind, e.change, e.person) for e in stream.read(redis, start)]
    assert told[:2] == [("person_changed", "same", ann), ("person_changed", "same", bob)]
    assert set(told[2:]) == {("person_changed", "withdraw", ann), ("person_changed", "withdraw", bob)}


def test_without_a_groups_process_nothing_is_changed(
    client: FlaskClient, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "ANSWER_TIMEOUT", 0.2)
    Fleet(redis).commit({0: [ANN]})
    kept = caught_up(follower(redis))
    (ann,) = ids(client)
    answer = client.post("/v1/statements", json={"kind": "name", "people": [ann], "name": "Ann"})
    assert problem(answer) == (503, "no_groups")
    assert int(answer.headers["Retry-After"]) > 0
    caught_up(kept)
    assert get(client, f"/v1/people/{ann}")["name"] == ""


@pytest.mark.usefixtures("kept")
def test_erased_pictures_leave_people_and_statements(client: FlaskClient, redis: RedisClient) -> None:
    ann, _, _ = ids(client)
    say(client, "not", ann, faces=[{"hash": picture(0), "face": 0}])
    erase(redis, picture(0))
    (said,) = get(client, "/v1/statements")["statements"]
    assert said["kind"] == "not"


def test_who_may_be_one_person_is_suggested(client: FlaskClient, redis: RedisClient) -> None:
    Fleet(redis).commit({0: [(ANN, 0.3)], 1: [(ANN, 0.3)], 2: [(ANN, 0.44)], 3: [(BOB, 0.3)]})
    kept = caught_up(follower(redis))
    (one,) = get(client, "/v1/suggestions")["suggestions"]
    assert {one["first"]["faces"], one["second"]["faces"]} == {1, 2}
    assert (one["faces"], one["shared"]) == (1, 0)
    assert one["distance"] > one["limit"]
    assert {face["hash"] for face in one["first_faces"]} == {picture(0), picture(1)}
    assert one["second_faces"] == [{"hash": picture(2), "face": 0}]
    assert get(client, "/v1/suggestions", person=one["second"]["id"])["suggestions"] == [one]
    assert problem(client.get("/v1/suggestions?person=999")) == (404, "not_found")
    (bob,) = (p["id"] for p in get(client, "/v1/people")["people"] if p["cover"]["hash"] == picture(3))
    assert get(client, "/v1/suggestions", person=bob)["suggestions"] == []
    with answering(kept):
        say(client, "unsure", one["first"]["id"], one["second"]["id"])
    caught_up(kept)
    assert get(client, "/v1/suggestions")["suggestions"] == []


@pytest.mark.usefixtures("kept")
def test_it_tells_why_a_face_is_somebodys(client: FlaskClient) -> None:
    ann, _, _ = ids(client)
    say(client, "name", ann, name="Ann")
    told = get(client, f"/v1/images/{picture(0)}/faces/0/why")
    assert told["person"] == {"id": ann, "name": "Ann"}
    assert told["statements"] == [1]
    assert (told["good"], told["distance"] < 0.6) == (True, True)
    assert problem(client.get(f"/v1/images/{picture(99)}/faces/0/why")) == (404, "not_found")
