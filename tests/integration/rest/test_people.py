"""People over HTTP: listed, described, named, corrected, and everything undone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from faces.store import events, queries, statements
from faces.store.accept import accept
from faces.store.client import RedisClient
from faces.store.erase import erase
from faces.store.event_details import detailed
from faces.store.keys import HOME, status_key
from groups.follower import Follower
from rest.searching import Searching
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.support.committing import Worker, found
from tests.support.server import problem
from tests.support.writing import picture

ANN, BOB, EVE = 1, 2, 3


@pytest.fixture
def kept(redis: RedisClient) -> Iterator[Follower]:
    """Four pictures of Ann, two of Bob, one of both, one of Eve; the groups are kept meanwhile."""
    Fleet(redis).commit({0: [ANN], 1: [ANN], 2: [ANN], 3: [ANN], 4: [BOB], 5: [BOB], 6: [ANN, BOB], 7: [EVE]})
    process = caught_up(follower(redis))
    with answering(process):
        yield process


def get(client: FlaskClient, path: str, **query: Any) -> Any:
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def say(client: FlaskClient, kind: str, *people: str, **more: Any) -> Any:
    answer = client.post("/v1/statements", json={"kind": kind, "people": people, **more})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def ids(client: FlaskClient, **query: Any) -> list[str]:
    return [person["id"] for person in get(client, "/v1/people", **query)["people"]]


def all_pages(client: FlaskClient, path: str, key: str, **query: Any) -> list[Any]:
    everything: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(client, path, **query, **cursor)
        assert not [one for one in page[key] if one in everything], "a page came twice"
        everything += page[key]
        if page["next"] is None:
            return everything
        assert len(page[key]) == query["limit"]
        cursor = {"cursor": page["next"]}


@pytest.mark.usefixtures("kept")
def test_people_are_listed_largest_first_with_a_cover(client: FlaskClient) -> None:
    page = get(client, "/v1/people")
    ann, bob, eve = page["people"]
    assert (page["total"], page["next"]) == (3, None)
    assert (ann["faces"], bob["faces"], eve["faces"]) == (5, 3, 1)
    assert ann == {
        "id": ann["id"],
        "name": "",
        "faces": 5,
        "version": ann["version"],
        "confirmed": False,
        "hidden": False,
        "cover": {"hash": picture(0), "face": 0},
    }
    assert get(client, f"/v1/people/{ann['id']}") == ann
    assert all_pages(client, "/v1/people", "people", limit=1) == [ann, bob, eve]


@pytest.mark.usefixtures("kept")
def test_people_are_found_by_name(client: FlaskClient) -> None:
    ann, bob, eve = ids(client)
    say(client, "name", ann, name="Ann Lee")
    say(client, "name", bob, name="anna")
    assert ids(client, name="ANN") == [ann, bob]
    assert all_pages(client, "/v1/people", "people", limit=1, named="true") == [
        get(client, f"/v1/people/{one}") for one in (ann, bob)
    ]
    assert ids(client, name="ann ") == [ann]
    assert ids(client, named="true") == [ann, bob]
    assert ids(client, named="false") == [eve]
    assert get(client, "/v1/people", named="false")["total"] == 1
    stats = get(client, "/v1/stats")
    assert (stats["groups"], stats["people"]) == (3, 2)
    assert problem(client.get("/v1/people?named=false&name=a")) == (400, "bad_request")


@pytest.mark.usefixtures("kept")
def test_a_list_goes_on_where_people_have_changed_meanwhile(client: FlaskClient, redis: RedisClient) -> None:
    first = get(client, "/v1/people", limit=2)
    bob, eve = first["people"][1]["id"], ids(client)[2]
    say(client, "hide", bob)
    rest = get(client, "/v1/people", cursor=first["next"])
    assert [person["id"] for person in rest["people"]] == [eve]
    assert problem(client.get("/v1/people?cursor=abc")) == (400, "bad_cursor")


@pytest.mark.usefixtures("kept")
def test_faces_come_nearest_the_centre_first(client: FlaskClient) -> None:
    ann = ids(client)[0]
    found = get(client, f"/v1/people/{ann}/faces")
    assert found["person"]["id"] == ann
    assert sorted(face["distance"] for face in found["faces"]) == [f["distance"] for f in found["faces"]]
    assert {(f["hash"], f["face"]) for f in found["faces"]} == {(picture(n), 0) for n in (0, 1, 2, 3, 6)}
    assert {tuple(face["names"]) for face in found["faces"]} == {("0",), ("1",), ("2",), ("3",), ("6",)}
    assert all_pages(client, f"/v1/people/{ann}/faces", "faces", limit=1) == found["faces"]


@pytest.mark.usefixtures("kept")
def test_pictures_tell_who_is_in_them_and_are_listed_by_person(client: FlaskClient) -> None:
    ann, bob, _ = ids(client)
    say(client, "name", ann, name="Ann")
    both = get(client, f"/v1/images/{picture(6)}")
    assert [face["person"] for face in both["faces"]] == [{"id": ann, "name": "Ann"}, {"id": bob, "name": ""}]
    listed = all_pages(client, "/v1/images", "images", person=bob, limit=1)
    assert [image["hash"] for image in listed] == [picture(n) for n in (6, 5, 4)]
    assert listed[0] == both
    assert get(client, "/v1/images", person=bob, prefix="5")["images"][0]["hash"] == picture(5)
    assert get(client, "/v1/images", person=bob, since=listed[0]["accepted"])["images"] == [both]
    assert problem(client.get("/v1/images?person=999")) == (404, "not_found")


def test_faces_are_numbered_as_in_their_picture(client: FlaskClient, redis: RedisClient) -> None:
    """The first face of the picture is too small to be indexed: in the store the second one is number 0."""
    fleet = Fleet(redis)
    fleet.commit({0: [ANN], 1: [ANN]})
    fleet.commit({2: [ANN]}, small=1)
    kept = caught_up(follower(redis))
    with answering(kept):
        ann = ids(client)[0]
        assert [f["person"] for f in get(client, f"/v1/images/{picture(2)}")["faces"]] == [
            None,
            {"id": ann, "name": ""},
        ]
        two = {"hash": picture(2), "face": 1}
        assert say(client, "cover", ann, faces=[two])["faces"] == [two]
        assert get(client, f"/v1/people/{ann}")["cover"] == two
        assert (
            two.items()
            <= next(
                face for face in get(client, f"/v1/people/{ann}/faces")["faces"] if face["hash"] == picture(2)
            ).items()
        )
        assert get(client, f"/v1/images/{picture(2)}/faces/1/why")["person"]["id"] == ann
        other = {"hash": picture(2), "face": 0}
        answer = client.post("/v1/statements", json={"kind": "not", "people": [ann], "faces": [other]})
        assert problem(answer) == (404, "not_found")
        assert problem(client.get(f"/v1/images/{picture(2)}/faces/0/why")) == (404, "not_found")


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


@pytest.mark.usefixtures("kept")
def test_each_statement_is_an_event_of_everybody_concerned(client: FlaskClient, redis: RedisClient) -> None:
    ann, bob, _ = ids(client)
    start = events.latest(redis)
    made = say(client, "same", ann, bob)
    client.delete(f"/v1/statements/{made['number']}")
    told = [(e.kind, e.change, e.person) for e in events.read(redis, start)]
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


def test_matches_and_searches_tell_whose_the_faces_are(
    client: FlaskClient, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        accept(redis, picture(number), str(number))
    Worker(redis).commit(found(0, 1), found(1, 1), found(2, 1))
    caught_up(follower(redis))
    (somebody,) = ids(client)
    matches = get(client, f"/v1/images/{picture(0)}/matches")["matches"]
    assert [m["pairs"][0]["other_person"] for m in matches] == 2 * [{"id": somebody, "name": ""}]
    match = {"hash": picture(1), "names": [], "face": 0, "box": None, "distance": 0.1}
    told = {"model": "", "tolerance": 0.6, "faces": [{"matches": [match, {**match, "hash": picture(9)}]}]}
    monkeypatch.setattr(Searching, "ask", lambda *_: told)
    answer = client.post("/v1/search", json={"encoding": [0.0] * 128}).get_json()
    assert [m["person"] for m in answer["faces"][0]["matches"]] == [{"id": somebody, "name": ""}, None]


def test_a_watched_person_is_told_of_once_in_new_pictures(client: FlaskClient, redis: RedisClient) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [ANN], 1: [ANN], 2: [BOB]})
    kept = caught_up(follower(redis))
    ann, bob = ids(client)
    watch = client.post("/v1/watches", json={"person": ann}).get_json()
    assert (watch["prefix"], watch["person"]) == ("", ann)
    assert client.post("/v1/watches", json={"person": ann}).get_json() == watch
    assert problem(client.post("/v1/watches", json={"person": "999"})) == (404, "not_found")
    assert problem(client.post("/v1/watches", json={"person": ann, "prefix": "a"})) == (400, "bad_request")
    start = events.latest(redis)
    fleet.commit({3: [BOB], 4: [ANN, BOB]})
    caught_up(kept)
    (match,) = (event for event in events.read(redis, start) if event.kind == "match")
    assert (match.hash, match.person, match.watches) == (picture(4), ann, (watch["id"],))
    with answering(kept):
        say(client, "same", bob, ann)
    start = events.latest(redis)
    fleet.commit({5: [BOB]})
    caught_up(kept)
    (document,) = detailed(redis, [event for event in events.read(redis, start) if event.kind == "match"])
    assert (document["names"], document["matching"], document["person"]) == (["5"], [], bob)


def test_what_is_grouped_afresh_is_no_news(client: FlaskClient, redis: RedisClient) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [ANN]})
    kept = caught_up(follower(redis))
    (ann,) = ids(client)
    with answering(kept):
        say(client, "name", ann, name="Ann")  # so that her group keeps its id
    client.post("/v1/watches", json={"person": ann})
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    redis.ask((HOME, "SET", status_key(picture(0)), replace(status, finished=time.time() - 7200).to_json()))
    start = events.latest(redis)
    kept.start_over()
    caught_up(kept)
    assert events.read(redis, start) == []
