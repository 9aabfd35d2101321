"""A picture goes in by HTTP, and every picture with the same face comes out."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from local.process import until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.tail import Tail
from tests.support.drawing import drawing
from tests.support.photographs import NEAREST_FIRST, OBAMA
from tests.support.rules import faults, read_all


def test_the_pictures_of_one_person_match_each_other_and_nobody_else(fleet: Fleet, photographs: Path) -> None:
    fleet.start_all(workers=2, ENGINE="auto")  # as they are shipped
    with closing(Tail(fleet.settings, "#.info")) as tail:
        sent = {name: fleet.scan((photographs / name).read_bytes(), name) for name in (*OBAMA, "biden.jpg")}
        street = fleet.scan(drawing(), "a pattern")
        fleet.wait()
        for name in OBAMA:
            assert fleet.match(sent[name]) == NEAREST_FIRST[name]
        assert fleet.match(sent["biden.jpg"]) == []
        assert fleet.match(street) == []
        assert fleet.status(street)["state"] == "done"
        assert fleet.status(street)["faces"] == []
        assert until(lambda: len([key for key, _ in tail.read() if "worker" in key]) == 5, SECONDS)
        assert {key.rsplit(".", 2)[1] for key, _ in tail.lines} == {"rest", "worker"}
        hashes = {json.loads(line)["hash"] for key, line in tail.lines if ".worker." in key}
        assert hashes == {*sent.values(), street}
    assert faults(read_all(fleet.redis)) == []


def test_encodings_are_those_of_face_recognition(fleet: Fleet, photographs: Path, reference: Any) -> None:
    fleet.start_all(MODEL="dlib-resnet-v1", ENGINE="onnxruntime")
    picture = photographs / "obama2.jpg"
    sent = fleet.scan(picture.read_bytes(), "obama2.jpg")
    fleet.wait()
    (stored,) = read_all(fleet.redis).encodings[sent]
    (expected,) = reference.face_encodings(np.array(Image.open(picture).convert("RGB")))
    assert len(stored) == 512
    assert np.abs(np.frombuffer(stored, "<f4") - expected).max() < 1e-3


def test_a_picture_that_fails_is_visible_with_its_reason(fleet: Fleet) -> None:
    fleet.start_all()
    cut = fleet.scan(drawing(size=(400, 300))[:-2000], "cut.jpg")
    fleet.wait()
    status = fleet.status(cut)
    assert (status["state"], status["code"], status["names"]) == ("failed", "truncated", ["cut.jpg"])
    assert "send the whole file" in status["reason"]
    assert read_all(fleet.redis).names == {}


def test_pictures_kept_in_an_image_store_are_found_there(
    fleet: Fleet, photographs: Path, tmp_path: Path
) -> None:
    fleet.start_all(IMAGE_STORE_URL=f"file://{tmp_path}/images")
    sent = [fleet.scan((photographs / name).read_bytes(), name) for name in OBAMA[:2]]
    fleet.wait()
    assert fleet.match(sent[0]) == [OBAMA[1]]
    assert all((tmp_path / "images" / h[:2] / h).exists() for h in sent)


def test_crops_are_kept_where_originals_are_not(fleet: Fleet, photographs: Path, tmp_path: Path) -> None:
    fleet.start_all(IMAGE_STORE_URL=f"file://{tmp_path}/images", IMAGE_STORE_KEEPS="crops")
    sent = [fleet.scan((photographs / name).read_bytes(), name) for name in (OBAMA[0], "coffee.png")]
    fleet.wait()
    (file,) = [path.name for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert file == f"{sent[0]}.faces.zip", "there is nobody on the other"
    answer = requests.get(f"{fleet.url}/v1/images/{sent[0]}/faces/0", timeout=60)
    with Image.open(io.BytesIO(answer.content)) as crop:
        assert (crop.format, max(crop.size)) == ("JPEG", 160)
        grey = np.asarray(crop.convert("L"), float)
    with Image.open(photographs / OBAMA[0]) as whole:
        expected = whole.crop((269, 62, 697, 489)).resize(crop.size).convert("L")  # 30% around the box
    assert np.corrcoef(grey.ravel(), np.asarray(expected, float).ravel())[0, 1] > 0.98
    assert len(answer.content) < 10_000


def test_formats(fleet: Fleet) -> None:
    fleet.start_all()
    sent = {kind: fleet.scan(drawing(kind=kind), kind) for kind in ("PNG", "GIF", "BMP", "WEBP")}
    fleet.wait()
    assert {kind: fleet.status(picture)["state"] for kind, picture in sent.items()} == dict.fromkeys(
        sent, "done"
    )
