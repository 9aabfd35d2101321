"""Pictures that are sent to a server and committed with made-up faces."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures.commit import DetectionResult
from tests.support.committing import Worker, face

BOX = {"left": 20, "top": 10, "right": 60, "bottom": 50}
FACE = {"box": BOX, "quality": {"size": 40}, "landmarks": [[30, 30], [50, 30]], "indexed": True}
SMALL = {"box": BOX, "indexed": False, "reason": "it is small"}


def committed(redis: RedisClient, data: bytes, *faces: dict[str, Any], person: int = 1) -> str:
    """Commit a picture that was sent, with these faces; all indexed ones are of one person."""
    picture_id = picture_id_of(data)
    encodings = tuple(face(person, n) for n, f in enumerate(faces) if f["indexed"])
    Worker(redis).commit(DetectionResult(picture_id, list(faces), encodings))
    return picture_id


def sent(client: FlaskClient, redis: RedisClient, data: bytes, *faces: dict[str, Any]) -> str:
    assert client.post("/v1/images?name=a/b.jpg", data=data).status_code == 202
    return committed(redis, data, *faces)
