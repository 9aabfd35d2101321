"""Why two pictures match: whose faces, where they are, and what they were compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from faces.store.client import Command, RedisClient
from faces.store.collection.data_version import READ_VERSION
from faces.store.keys import ENCODINGS, HASHES, HOME, MATCHES, status_key
from faces.store.pictures.status import Status


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with its names, and of each indexed face the encoding, 512 bytes, and the box, in the same order.

    `numbers` are the faces' places among all faces of the picture, from 0.
    """

    picture: str
    names: list[str]
    encodings: list[bytes]
    boxes: list[dict[str, Any] | None]
    numbers: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture and all that match it, of one instant; None stands for a database that was never written to.

    A pair of faces is evidence where the distance of their encodings is at most the tolerance; the distance is
    for the caller to compute.
    """

    picture: Shown
    matches: list[Shown]
    model: str | None
    tolerance: float | None


def evidence(redis: RedisClient, picture: str) -> Evidence:
    """Read what the edges of a picture rest on.

    Raises:
        StoreError: Redis is unavailable.
    """
    while True:
        with redis.session() as session:
            (members,) = session.ask((MATCHES, "SMEMBERS", picture))
            everyone = [picture, *sorted(other.decode() for other in members)]
            commands: list[Command] = [(MATCHES, "SMEMBERS", picture), READ_VERSION]
            for one in everyone:
                commands += [
                    (HOME, "GET", status_key(one)),
                    (HASHES, "SMEMBERS", one),
                    (ENCODINGS, "LRANGE", one, 0, -1),
                ]
            now, (_, model, tolerance), *read = session.snapshot(*commands)
        if set(now) == set(members):
            shown = [_shown(one, *read[3 * n : 3 * n + 3]) for n, one in enumerate(everyone)]
            return Evidence(
                shown[0],
                shown[1:],
                None if model is None else model.decode(),
                None if tolerance is None else float(tolerance),
            )


def described(redis: RedisClient, pictures: Sequence[str]) -> list[Shown]:
    """Names and boxes of pictures, without their encodings."""
    if not pictures:
        return []
    documents, *names = redis.ask(
        (HOME, "MGET", *map(status_key, pictures)), *((HASHES, "SMEMBERS", one) for one in pictures)
    )
    return [
        _shown(one, document, some, [])
        for one, document, some in zip(pictures, documents, names, strict=True)
    ]


def _shown(picture: str, document: bytes | None, names: list[bytes], encodings: list[bytes]) -> Shown:
    status = Status.from_json(document)
    indexed = status.indexed if status else []
    return Shown(
        picture,
        sorted(name.decode() for name in names),
        encodings,
        [face.get("box") for _, face in indexed],
        [number for number, _ in indexed],
    )
