"""Other systems' paths."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from faces.store.client import RedisClient
from rest.auth.scopes import scope_of
from rest.spellings import SPELLINGS
from tests.support.sent import FACE, sent
from tests.support.server import HASH, PICTURE

SENDING = [path for path, endpoint in SPELLINGS.items() if endpoint == "images.send_images"]
GETS = [path for path in SPELLINGS if path not in {*SENDING, "/search"}]


@pytest.mark.parametrize("path", SENDING)
def test_pictures_can_be_sent_under_other_paths(client: FlaskClient, path: str) -> None:
    for field in "image", "file":
        answer = client.post(path, data={field: (io.BytesIO(PICTURE), "a.jpg")})
        assert (answer.status_code, answer.get_json()["items"][0]["hash"]) == (202, HASH)


@pytest.mark.parametrize("path", GETS)
def test_questions_can_be_asked_under_other_paths(client: FlaskClient, redis: RedisClient, path: str) -> None:
    picture_id = sent(client, redis, PICTURE, FACE)
    answer = client.get(path.replace("<hash>", picture_id))
    assert answer.status_code == 200
    assert answer.get_json()


def test_other_paths_need_the_same_scopes(client: FlaskClient) -> None:
    app = client.application
    for number, endpoint in enumerate(SPELLINGS.values()):
        assert scope_of(app, f"spelling{number}.{endpoint}") == scope_of(app, endpoint) != "admin"
