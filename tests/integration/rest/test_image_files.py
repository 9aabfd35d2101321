"""What is seen of a picture: its original, thumbnails, and the faces on it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from faces.config import Settings
from faces.image_store.pictures import ImageStore
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from tests.integration.groups.fleet import answering, caught_up, follower
from tests.support.drawing import drawing
from tests.support.sent import FACE, SMALL, sent
from tests.support.server import problem, queued, serving


def turned(seed: int = 0) -> bytes:
    """A JPEG, 120x90 as stored, that EXIF turns to 90x120."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(drawing(seed)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def opened(answer: Any) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data))


def test_the_original_with_ranges_and_thumbnails(stored: FlaskClient, redis: RedisClient) -> None:
    data = turned()
    path = f"/v1/images/{sent(stored, redis, data, FACE)}/picture"
    whole = stored.get(path)
    assert (whole.data, whole.mimetype) == (data, "image/jpeg")
    assert whole.headers["Cache-Control"] == "private, no-cache"
    part = stored.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    beyond = stored.get(path, headers={"Range": f"bytes={len(data)}-"})
    assert problem(beyond) == (416, "range_not_satisfiable")
    assert stored.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    small = stored.get(f"{path}?size=30")
    assert opened(small).size == (22, 30)
    again = stored.get(f"{path}?size=30", headers={"If-None-Match": small.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_faces_are_marked_and_cut_out(stored: FlaskClient, redis: RedisClient) -> None:
    data = turned()
    path = f"/v1/images/{sent(stored, redis, data, FACE, SMALL)}"
    marked = opened(stored.get(f"{path}/annotated"))
    assert marked.size == (90, 120)
    plain = opened(stored.get(f"{path}/picture?size=120"))
    assert np.abs(np.asarray(marked, int) - np.asarray(plain, int))[10:52, 18:62].max() > 60
    assert opened(stored.get(f"{path}/annotated?size=60")).size == (45, 60)
    cut = opened(stored.get(f"{path}/faces/0"))
    assert cut.size == (64, 62)  # 30% around 40x40, cut off at the picture's top
    expected = np.asarray(plain, int)[0:62, 8:72]
    assert np.abs(np.asarray(cut, int) - expected).mean() < 3
    assert problem(stored.get(f"{path}/faces/2")) == (404, "not_found")


def test_a_named_person_has_a_label_and_a_colour_of_their_own(
    stored: FlaskClient, redis: RedisClient
) -> None:
    path = f"/v1/images/{sent(stored, redis, turned(), FACE)}/annotated"
    before = stored.get(path)
    kept = caught_up(follower(redis))
    grouped = stored.get(path)
    with answering(kept):
        stored.post("/v1/statements", json={"kind": "name", "people": ["1"], "name": "Ann"})
    named = stored.get(path)
    assert before.data != grouped.data != named.data
    assert stored.get(path, headers={"If-None-Match": named.headers["ETag"]}).status_code == 304


@pytest.fixture
def crops_only(settings: Settings, tmp_path: Path) -> Iterator[FlaskClient]:
    url = f"file://{tmp_path}"
    with serving(settings, image_store_url=url, image_store_keeps="crops") as opened:
        yield opened


def test_faces_are_shown_without_originals(
    crops_only: FlaskClient, redis: RedisClient, settings: Settings, tmp_path: Path
) -> None:
    image_store = ImageStore(f"file://{tmp_path}")
    picture_id = sent(crops_only, redis, drawing(), FACE, SMALL)
    (message,) = queued(settings)
    assert (message.data, image_store.has(picture_id)) == (drawing(), False)
    path = f"/v1/images/{picture_id}"
    assert problem(crops_only.get(f"{path}/faces/0")) == (501, "no_image_store")
    image_store.put_crops(picture_id, [jpeg("red"), jpeg("blue")])
    shown = crops_only.get(f"{path}/faces/1")
    assert (shown.data, shown.headers["Cache-Control"]) == (jpeg("blue"), "private, no-cache")
    again = crops_only.get(f"{path}/faces/1", headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304
    assert opened(crops_only.get(f"{path}/faces/0?size=80")).size == (80, 60)
    assert opened(crops_only.get(f"{path}/faces/0?size=800")).size == (160, 120)
    assert problem(crops_only.get(f"{path}/picture")) == (501, "no_image_store")
    receipt = crops_only.delete(path).get_json()
    assert (receipt["original"], receipt["crops"]) == (False, True)
    assert problem(crops_only.get(f"{path}/faces/0")) == (404, "not_found")


def jpeg(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (160, 120), colour).save(file, "JPEG")
    return file.getvalue()


def test_a_small_face_comes_from_its_crop_and_a_large_one_from_the_original(
    stored: FlaskClient, redis: RedisClient, tmp_path: Path
) -> None:
    picture_id = sent(stored, redis, drawing(), FACE)
    ImageStore(f"file://{tmp_path}").put_crops(picture_id, [jpeg("red")])
    path = f"/v1/images/{picture_id}/faces/0"
    assert opened(stored.get(f"{path}?size=160")).size == (160, 120)
    assert opened(stored.get(path)).size == (64, 62)


def test_without_an_image_store_there_are_no_pictures(client: FlaskClient, redis: RedisClient) -> None:
    picture_id = sent(client, redis, drawing(), FACE)
    for sub in "picture", "annotated", "faces/0":
        assert problem(client.get(f"/v1/images/{picture_id}/{sub}")) == (501, "no_image_store")


def test_a_pending_picture_has_no_faces_to_show(stored: FlaskClient) -> None:
    data = drawing()
    stored.post("/v1/images", data=data)
    path = f"/v1/images/{picture_id_of(data)}"
    assert problem(stored.get(f"{path}/annotated")) == (409, "not_finished")
    assert stored.get(f"{path}/picture").data == data
