"""The odds of matches in this collection: measured from a sample of its faces, kept for whoever shows matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import accumulate, takewhile
from math import dist
from typing import Any

from faces.distances import Vector, vectors
from faces.documents import from_json, to_json
from faces.odds import FAR, Observed, Odds, counted, fit
from faces.store.client import RedisClient
from faces.store.collection.data_version import READ_VERSION
from faces.store.keys import ENCODINGS, HOME, MATCHES, MEASURING, ODDS

MAX_PICTURES, MAX_FACES = 1000, 1200  # 720,000 pairs: about a second
MAX_NEIGHBOURS = 20_000
GROWN = 0.1
LEASE = 60  # seconds


def read(redis: RedisClient) -> Odds | None:
    """Return the odds last measured; None if there are none for the current model."""
    document, (_, model, _) = redis.ask((HOME, "GET", ODDS), READ_VERSION)
    if document is None or model is None:
        return None
    values = from_json(document)
    try:
        odds = Odds(**{one.name: values[one.name] for one in fields(Odds)})
    except KeyError:  # another version's
        return None
    return odds if odds.model == model.decode() else None


def refresh(redis: RedisClient) -> bool:
    """Measure the odds anew if the collection has grown or shrunk by a tenth since, and no other process does.

    Returns:
        Whether they were measured.

    Raises:
        StoreError: Redis is unavailable.
    """
    pictures, (_, model, tolerance) = redis.ask((ENCODINGS, "DBSIZE"), READ_VERSION)
    before = read(redis)
    if (
        not pictures
        or model is None
        or (before and abs(pictures - before.pictures) <= GROWN * before.pictures)
    ):
        return False
    (leased,) = redis.ask((HOME, "SET", MEASURING, 1, "NX", "EX", LEASE))
    if not leased:
        return False
    keep(redis, measure(redis, model.decode(), float(tolerance)))
    redis.ask((HOME, "DEL", MEASURING))
    return True


def keep(redis: RedisClient, odds: Odds | None) -> None:
    """Keep odds for all processes."""
    if odds is not None:
        redis.ask((HOME, "SET", ODDS, to_json(asdict(odds))))


def measure(redis: RedisClient, model: str, tolerance: float) -> Odds | None:
    """Measure the odds of the collection from a random sample of it; None where it is empty.

    Raises:
        StoreError: Redis is unavailable.
    """
    pictures, *drawn = redis.ask((ENCODINGS, "DBSIZE"), *[(ENCODINGS, "RANDOMKEY")] * MAX_PICTURES)
    picture_ids = list(dict.fromkeys(key for key in drawn if key is not None))
    faces = _faces(redis, picture_ids)
    count = sum(map(len, faces))
    if not count:
        return None
    pairs, at_random = _pairs(faces)
    asked, neighbours = _neighbours(redis, picture_ids, faces)
    observed = Observed(pairs, at_random, asked, neighbours, tolerance)
    return fit(observed, model, pictures, pictures * count / len(picture_ids))


def _faces(redis: RedisClient, picture_ids: Sequence[bytes]) -> list[list[Vector]]:
    lists: list[Any] = (
        redis.ask(*((ENCODINGS, "LRANGE", one, 0, -1) for one in picture_ids)) if picture_ids else []
    )
    return [vectors(encodings) for encodings in lists]


def _pairs(faces: Sequence[list[Vector]]) -> tuple[int, list[int]]:
    """How many pairs of faces of different pictures there are among the first MAX_FACES, and the near ones."""
    earlier: list[Vector] = []
    near: list[float] = []
    pairs = 0
    for some in faces:
        pairs += len(some) * len(earlier)
        near += [d for one in some for other in earlier if (d := dist(one, other)) < FAR]
        earlier += some
        if len(earlier) >= MAX_FACES:
            break
    return pairs, counted(near)


def _neighbours(
    redis: RedisClient, picture_ids: Sequence[bytes], faces: Sequence[list[Vector]]
) -> tuple[int, list[int]]:
    """All matches of the first pictures, as many as have MAX_NEIGHBOURS together; and their faces' distances."""
    sizes = redis.ask(*((MATCHES, "SCARD", one) for one in picture_ids))
    asked = max(1, sum(1 for _ in takewhile(lambda total: total <= MAX_NEIGHBOURS, accumulate(sizes))))
    near: list[float] = []
    for picture_id, ours in zip(picture_ids[:asked], faces, strict=False):
        (others,) = redis.ask((MATCHES, "SMEMBERS", picture_id))
        for theirs in _faces(redis, others):
            near += [dist(one, other) for one in ours for other in theirs]
    return sum(map(len, faces[:asked])), counted(near)
