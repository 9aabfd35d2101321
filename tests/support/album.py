"""An album of made-up people: pictures committed as a worker does, with a drawn crop of each face."""

from __future__ import annotations

import colorsys
import hashlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from faces.image_store.pictures import ImageStore
from faces.store.client import RedisClient
from faces.store.collection.data_version import agree
from faces.store.collection.journal import Place
from faces.store.keys import HOME, JOURNAL
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.status import Size
from tests.support.crowd import face
from tests.support.writing import MADE_WITH

NEAR, FAR = 0.3, 0.44  # from what is typical of a person: joins them; is asked about
SIDE = 160  # pixels of a crop


def album_id(name: str) -> str:
    """The hash of a picture of the album."""
    return hashlib.sha256(name.encode()).hexdigest()


def fill(
    redis: RedisClient, image_store: ImageStore, album: Mapping[str, Sequence[tuple[int, float]]]
) -> None:
    """Commit pictures: by name, the people they show and how far each face is from what is typical of them."""
    agree(redis, MADE_WITH)
    found = []
    for number, (name, shown) in enumerate(album.items()):
        accept(redis, album_id(name), name, Size(120_000, 480, 320, "JPEG"))
        seeds = [(person, 100 * number + place, spread) for place, (person, spread) in enumerate(shown)]
        image_store.put_crops(album_id(name), [portrait(person, seed) for person, seed, _ in seeds])
        encodings = [face(person, seed, spread).astype("<f4").tobytes() for person, seed, spread in seeds]
        faces = [_described(place) for place in range(len(shown))]
        found.append(DetectionResult(album_id(name), faces, tuple(encodings)))
    (length,) = redis.ask((HOME, "LLEN", JOURNAL))
    commit(redis, found, MADE_WITH, lambda: Place(length), lambda _tail, _ours: [()] * len(found))


def portrait(person: int, seed: int) -> bytes:
    """A drawn head as a JPEG: skin, hair and shirt are the person's, light and pose are the picture's."""
    who, how = np.random.default_rng(person), np.random.default_rng([person, seed])
    background = _colour(how.random(), 0.25, 0.55 + 0.35 * how.random())
    hair = _colour(0.02 + 0.1 * who.random(), 0.3 + 0.5 * who.random(), 0.1 + 0.7 * who.random() ** 2)
    shirt = _colour(who.random(), 0.5, 0.7)
    skin = _colour(0.05 + 0.03 * who.random(), 0.35 + 0.2 * who.random(), 0.45 + 0.5 * who.random())
    dx, dy = (int(n) for n in how.integers(-8, 9, 2))
    big = Image.new("RGB", (2 * SIDE, 2 * SIDE), background)
    draw = ImageDraw.Draw(big)
    x, y, wide = 160 + 2 * dx, 150 + 2 * dy, int(62 + 20 * who.random())
    draw.ellipse((x - 130, y + 90, x + 130, y + 330), fill=shirt)
    draw.rounded_rectangle((x - 26, y + 50, x + 26, y + 130), 20, fill=skin)
    draw.ellipse((x - wide - 18, y - 118, x + wide + 18, y + 60 + int(90 * who.random())), fill=hair)
    draw.ellipse((x - wide, y - 88, x + wide, y + 88), fill=skin)
    draw.chord((x - wide - 8, y - 110, x + wide + 8, y + 20), 180, 360, fill=hair)
    for side in (-1, 1):
        draw.ellipse((x + side * 28 - 9, y - 8, x + side * 28 + 9, y + 10), fill=(30, 26, 24))
    draw.arc((x - 26, y + 12, x + 26, y + 60), 20, 160, fill=(120, 40, 40), width=6)
    file = io.BytesIO()
    big.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(file, "JPEG", quality=85)
    return file.getvalue()


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _described(place: int) -> dict[str, object]:
    left = 40 + 90 * place
    box = {"left": left, "top": 60, "right": left + 70, "bottom": 130}
    return {"box": box, "quality": {"size": 120, "sharpness": 8.0, "pose": 0.1, "score": 2.0}}
