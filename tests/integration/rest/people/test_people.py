"""People over HTTP: listed and described, and told wherever faces are."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from faces.store.client import RedisClient
from faces.store.pictures.accept import accept
from rest.searching import Searching
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.integration.rest.people.asking import ANN, all_pages, get, ids, say
from tests.support.committing import Worker, found
from tests.support.server import problem
from tests.support.writing import picture


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
