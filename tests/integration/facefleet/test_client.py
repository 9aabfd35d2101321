"""The Python client, against a real server without a worker."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pillow

from facefleet import AuthenticationError, Client, FaceId, RefusedError, UnavailableError
from faces import api_key
from faces.config import Settings
from faces.store.access import api_keys
from faces.store.client import RedisClient
from faces.store.pictures.commit import DetectionResult
from local.process import free_port
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.support.committing import Worker, face, picture
from tests.support.drawing import drawing
from tests.support.sent import FACE, committed
from tests.support.server import running


@pytest.fixture
def served(settings: Settings, redis: RedisClient, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL of a server that needs keys, and a key that may do everything."""
    key, token = api_key.create("test", api_key.SCOPES)
    api_keys.add(redis, key)
    here = replace(settings, rest_port=free_port())
    with running(here, tmp_path, API_KEYS="required", IMAGE_STORE_URL=f"file://{tmp_path}/images"):
        yield here.server, token


@pytest.fixture
def client(served: tuple[str, str]) -> Iterator[Client]:
    with Client(*served) as opened:
        yield opened


def test_a_picture_from_its_sending_to_its_erasing(
    client: Client, redis: RedisClient, tmp_path: Path
) -> None:
    one, other = drawing(0), drawing(1)
    (tmp_path / "a.jpg").write_bytes(one)
    sent = client.send(tmp_path / "a.jpg")
    assert (sent.name, sent.new) == (str(tmp_path / "a.jpg"), True)
    second = client.send(other, "b")
    assert sent.hash is not None
    assert second.hash is not None
    assert client.image(sent.hash).state == "pending"
    assert client.wait(sent.hash, 0.1).state == "pending"
    worker = Worker(redis)
    worker.commit(
        DetectionResult(sent.hash, [FACE], (face(1),)), DetectionResult(second.hash, [FACE], (face(1, 1),))
    )
    image = client.wait(sent.hash)
    assert (image.state, image.matches, image.faces[0].indexed) == ("done", 1, True)
    assert image.faces[0].box is not None
    assert image.faces[0].box.left == 20
    assert image.faces[0].extra["quality"] == {"size": 40}
    (match,) = client.matches(sent.hash)
    assert (match.hash, match.names, match.pairs[0].distance) == (second.hash, ["b"], match.distance)
    assert list(client.matches(sent.hash, max_distance=match.distance / 2)) == []
    assert [found.hash for found in client.images(state="done")] == [second.hash, sent.hash]
    assert client.named("b").hash == second.hash
    assert [s["state"] for s in client.statuses([sent.hash, "0" * 64])] == ["done", "unknown"]
    assert client.picture(sent.hash) == one
    for drawn in client.picture(sent.hash, size=30), client.annotated(sent.hash), client.face(sent.hash, 0):
        assert Pillow.open(io.BytesIO(drawn)).format == "JPEG"
    assert len(client.encodings(sent.hash)[0]) == 128
    assert client.compare(sent.hash, client.encodings(second.hash)[0]).distance == pytest.approx(
        match.distance
    )
    assert client.stats().pictures["done"] == 2
    assert client.erase(sent.hash)["faces"] == 1
    with pytest.raises(RefusedError) as refused:
        client.image(sent.hash)
    assert (refused.value.code, refused.value.status) == ("not_found", 404)


def test_pages_are_followed(client: Client, redis: RedisClient) -> None:
    for number in range(3):
        client.send(drawing(number))
    assert len(list(client.images())) == 3
    committed(redis, drawing(0))
    assert len(list(client.images(faces="without"))) == 1


def test_urls_that_cannot_be_fetched_have_a_problem(client: Client) -> None:
    (sent,) = client.send_urls(["http://127.0.0.1/"], key="once")
    assert sent.problem is not None
    assert sent.problem["code"] == "address_not_allowed"
    with pytest.raises(RefusedError) as refused:
        client.send("http://127.0.0.1/")
    assert refused.value.code == "address_not_allowed"


def test_what_is_refused_says_why(served: tuple[str, str], client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        client.send(b"not a picture")
    assert (refused.value.code, refused.value.status) == ("not_a_picture", 415)
    with pytest.raises(AuthenticationError), Client(served[0]) as keyless:
        keyless.stats()
    with pytest.raises(UnavailableError), Client(f"http://127.0.0.1:{free_port()}") as nowhere:
        nowhere.stats()


def test_people_are_named_corrected_and_restored(client: Client, redis: RedisClient) -> None:
    Fleet(redis).commit({0: [1], 1: [1], 2: [2], 3: [1, 2]})
    with answering(caught_up(follower(redis))):
        ann, bob = client.people()
        assert (ann.faces, bob.faces, ann.cover) == (3, 2, FaceId(picture(0), 0))
        client.name(ann, "Ann")
        with pytest.raises(RefusedError) as refused:
            client.name(ann, "Eve")
        assert (refused.value.code, refused.value.status) == ("stale", 409)
        assert [person.name for person in client.people(named=True)] == ["Ann"]
        assert [person.id for person in client.people(name="a")] == [ann.id]
        assert client.image(picture(0)).faces[0].person == {"id": ann.id, "name": "Ann"}
        assert [image.names for image in client.images(person=bob.id)] == [["3"], ["2"]]
        faces = list(client.faces_of(ann.id))
        assert {face.names[0] for face in faces} == {"0", "1", "3"}
        merged = client.merge(ann.id, bob.id)
        assert client.person(bob.id).faces == 5
        assert client.undo(merged).withdrawn is not None
        made = client.split(ann.id, faces[:1]).made
        assert made is not None
        assert client.why(faces[0].hash, faces[0].face)["person"]["id"] == made
        client.cover(ann.id, faces[1])
        client.hide(bob.id)
        assert [person.id for person in client.people(hidden=True)] == [bob.id]
        assert [said.kind for said in client.history()] == ["hide", "cover", "split", "same", "name"]
        assert client.suggestions() == []
