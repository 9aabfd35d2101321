"""What `/v1` tells of pictures."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.keys import HOME, PICTURES
from faces.store.pictures import listing, queries
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.fail import fail
from tests.support.committing import Worker, face, found, picture
from tests.support.drawing import drawing
from tests.support.sent import BOX, FACE, SMALL, committed, sent
from tests.support.server import problem, queued


def test_a_picture_is_described(client: FlaskClient, redis: RedisClient) -> None:
    data = drawing()
    client.post("/v1/images?name=b", data=data)
    path = f"/v1/images/{picture_id_of(data)}"
    pending = client.get(path).get_json()
    assert (pending["state"], pending["names"], pending["faces"]) == ("pending", ["b"], [])
    assert pending["size"] == {"bytes": len(data), "width": 120, "height": 90, "format": "JPEG"}
    committed(redis, data, SMALL, FACE)
    client.post("/v1/images?name=a", data=data)
    accept(redis, picture(1), "other")
    Worker(redis).commit(DetectionResult(picture(1), [FACE], (face(1, 5),)))
    done = client.get(path).get_json()
    assert (done["state"], done["names"], done["matches"], done["model"]) == ("done", ["a", "b"], 1, "test")
    small, indexed = done["faces"]
    assert (small["index"], small["indexed"], small["reason"]) == (0, False, "it is small")
    assert (indexed["index"], indexed["box"], indexed["landmarks"]) == (1, BOX, [[30, 30], [50, 30]])
    assert client.get(f"{path}/matches").get_json()["matches"][0]["pairs"][0]["face"] == 1


def test_a_failed_picture_tells_why(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    fail(redis, picture(0), "truncated", "it is cut short")
    document = client.get(f"/v1/images/{picture(0)}").get_json()
    assert [document[key] for key in ("state", "code", "reason", "names")] == [
        "failed",
        "truncated",
        "it is cut short",
        ["a"],
    ]


@pytest.mark.parametrize("sub", ["", "/matches", "/encodings", "/picture", "/annotated", "/faces/0"])
def test_of_an_unknown_picture_nothing_is_told(stored: FlaskClient, sub: str) -> None:
    assert problem(stored.get(f"/v1/images/{picture(9)}{sub}")) == (404, "not_found")
    assert problem(stored.get(f"/v1/images/NONSENSE{sub}")) == (400, "bad_request")


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    first = client.get(f"/v1/images/{picture(0)}")
    assert first.headers["Cache-Control"] == "private, no-cache"
    shown = {"headers": {"If-None-Match": first.headers["ETag"]}}
    again = client.get(f"/v1/images/{picture(0)}", **shown)
    assert (again.status_code, again.data) == (304, b"")
    Worker(redis).commit(found(0, 1))
    assert client.get(f"/v1/images/{picture(0)}", **shown).status_code == 200


def test_waiting_for_a_picture(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    assert client.get(f"/v1/images/{picture(0)}?wait=0.05").get_json()["state"] == "pending"
    Worker(redis).commit(found(0))
    assert client.get(f"/v1/images/{picture(0)}?wait=30").get_json()["state"] == "done"


def pages(client: FlaskClient, path: str, key: str, **query: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list."""
    found, cursor = [], None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        document = client.get(path, query_string=asked).get_json()
        found.append(document[key])
        cursor = document["next"]
        if cursor is None:
            return found


def test_matches_are_the_nearest_first_in_pages(client: FlaskClient, redis: RedisClient) -> None:
    worker = Worker(redis)
    for number in range(8):
        accept(redis, picture(number), f"name {number}")
    worker.commit(*(DetectionResult(picture(n), [FACE], (face(1, n),)) for n in range(7)), found(7, 2))
    path = f"/v1/images/{picture(0)}/matches"
    whole = client.get(path).get_json()
    assert (whole["total"], whole["tolerance"], whole["model"]) == (6, 0.6, "test")
    vectors = {n: np.frombuffer(face(1, n), "<f4").astype(float) for n in range(7)}
    expected = sorted((float(np.linalg.norm(vectors[0] - vectors[n])), picture(n)) for n in range(1, 7))
    assert [match["hash"] for match in whole["matches"]] == [h for _, h in expected]
    assert [match["distance"] for match in whole["matches"]] == pytest.approx([d for d, _ in expected])
    assert whole["matches"][0]["pairs"][0]["other_box"] == BOX
    assert [match for page in pages(client, path, "matches", limit=4) for match in page] == whole["matches"]
    nearer = client.get(path, query_string={"max_distance": expected[2][0] + 1e-9}).get_json()
    assert nearer["total"] == 3
    assert problem(client.get(f"{path}?cursor=nonsense")) == (400, "bad_cursor")


def test_encodings_as_json_and_raw(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    Worker(redis).commit(DetectionResult(picture(0), [SMALL, FACE], (face(1),)))
    document = client.get(f"/v1/images/{picture(0)}/encodings").get_json()
    assert [one["face"] for one in document["encodings"]] == [1]
    assert struct.pack("<128f", *document["encodings"][0]["encoding"]) == face(1)
    raw = client.get(f"/v1/images/{picture(0)}/encodings?format=raw")
    assert (raw.data, raw.mimetype) == (face(1), "application/octet-stream")


def test_the_mean_of_the_encodings_of_a_time(client: FlaskClient, redis: RedisClient) -> None:
    assert client.get("/v1/encodings/mean").get_json() == {"count": 0, "mean": None}
    accept(redis, picture(0), "a")
    between = time.time()
    accept(redis, picture(1), "b")
    Worker(redis).commit(found(0, 1, 2), found(1, 3))
    whole = client.get("/v1/encodings/mean").get_json()
    vectors = [np.frombuffer(face(*one), "<f4") for one in ((1, 0), (2, 0), (3, 1))]
    assert whole["count"] == 3
    assert whole["mean"] == pytest.approx(np.mean(vectors, axis=0).tolist(), abs=1e-6)
    for query, count in ({"from": between}, 1), ({"to": between}, 2), ({"from": between, "to": between}, 0):
        assert client.get("/v1/encodings/mean", query_string=query).get_json()["count"] == count


def test_the_list_is_newest_first_and_filtered(client: FlaskClient, redis: RedisClient) -> None:
    for number in range(6):
        accept(redis, picture(number), f"{'holiday' if number % 2 else 'work'}/{number}")
    Worker(redis).commit(found(0, 1), found(1))
    fail(redis, picture(2), "truncated", "it is cut short")

    def listed(**query: Any) -> list[int]:
        numbers = {picture(n): n for n in range(6)}
        return [
            numbers[image["hash"]]
            for page in pages(client, "/v1/images", "images", **query)
            for image in page
        ]

    assert listed() == listed(limit=1) == listed(limit=4) == [5, 4, 3, 2, 1, 0]
    assert listed(state="failed") == [2]
    assert listed(state="pending") == [5, 4, 3]
    assert listed(faces="with") == [0]
    assert listed(faces="without") == [1]
    assert listed(prefix="holiday/") == [5, 3, 1]
    (third,) = queries.statuses(redis, [picture(3)])
    assert third is not None
    assert listed(since=third.accepted) == [5, 4, 3]
    client.delete(f"/v1/images/{picture(4)}")
    assert listed() == [5, 3, 2, 1, 0]


def test_pictures_of_an_earlier_release_are_listed_once_the_server_has_looked(redis: RedisClient) -> None:
    for number in range(3):
        accept(redis, picture(number), str(number))
    redis.ask((HOME, "DEL", PICTURES))
    listing.complete(redis)
    page = listing.page(redis, lambda _: True, limit=10)
    assert [record.status.hash for record in page.pictures] == [picture(n) for n in (2, 1, 0)]


def test_names_lead_to_pictures(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "//a/b?.jpg")
    Worker(redis).commit(found(0))
    assert client.get("/v1/names///a/b%3F.jpg").get_json()["hash"] == picture(0)
    assert problem(client.get("/v1/names/other")) == (404, "not_found")


def test_many_states_in_one_question(client: FlaskClient, redis: RedisClient) -> None:
    for number in range(3):
        accept(redis, picture(number), str(number))
    Worker(redis).commit(found(0, 1))
    fail(redis, picture(1), "truncated", "it is cut short")
    hashes = [picture(n) for n in (3, 2, 1, 0)]
    statuses = client.post("/v1/statuses", json={"hashes": hashes}).get_json()["statuses"]
    assert [status["hash"] for status in statuses] == hashes
    assert [status["state"] for status in statuses] == ["unknown", "pending", "failed", "done"]
    assert (statuses[2]["code"], statuses[3]["faces"]) == ("truncated", 1)
    for wrong in ([], ["nonsense"], [picture(0)] * 1001):
        assert problem(client.post("/v1/statuses", json={"hashes": wrong})) == (400, "bad_request")


def test_erasing_gives_a_receipt(stored: FlaskClient, redis: RedisClient) -> None:
    picture_id = sent(stored, redis, drawing(), FACE)
    receipt = stored.delete(f"/v1/images/{picture_id}").get_json()
    expected = {"hash": picture_id, "state": "done", "names": ["a/b.jpg"], "faces": 1, "matches": 0}
    assert receipt == expected | {"original": True, "crops": False}
    assert problem(stored.delete(f"/v1/images/{picture_id}")) == (404, "not_found")
    assert redis.ask((HOME, "ZCARD", PICTURES)) == [0]


def test_failures_are_listed_and_replayed(
    stored: FlaskClient, redis: RedisClient, settings: Settings
) -> None:
    data = drawing()
    picture_id = picture_id_of(data)
    for name in "a", "b":
        stored.post(f"/v1/images?name={name}", data=data)
    queued(settings)
    fail(redis, picture_id, "poison", "it ends workers")
    accept(redis, picture(1), "c")
    fail(redis, picture(1), "truncated", "it is cut short")
    listed = stored.get("/v1/failures").get_json()["failures"]
    assert [(one["code"], one["names"]) for one in listed] == [("truncated", ["c"]), ("poison", ["a", "b"])]
    (one,) = stored.get("/v1/failures?code=poison").get_json()["failures"]
    assert one["hash"] == picture_id
    answer = stored.post(f"/v1/failures/{picture_id}/replay")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/images/{picture_id}")
    (waiting,) = queued(settings)
    assert (waiting.picture_id, waiting.data) == (picture_id, None)
    committed(redis, data, FACE)
    assert stored.get(f"/v1/images/{picture_id}").get_json()["names"] == ["a", "b"]
    assert problem(stored.post(f"/v1/failures/{picture_id}/replay")) == (409, "not_failed")
    assert problem(stored.post(f"/v1/failures/{picture(1)}/replay")) == (404, "missing")
    assert queries.counts(redis).unaccounted == 0


def test_without_an_image_store_nothing_can_be_replayed(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    fail(redis, picture(0), "truncated", "it is cut short")
    assert problem(client.post(f"/v1/failures/{picture(0)}/replay")) == (501, "no_image_store")
