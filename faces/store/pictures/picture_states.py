"""Where pictures stand in all databases at once, for a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.store.client import RedisClient
from faces.store.keys import ENCODINGS, HASHES, HOME, INFLIGHT, status_key
from faces.store.pictures.status import Status


@dataclass(frozen=True, slots=True)
class PictureState:
    """Of one instant: where a picture stands.

    `state` is None without a status document, "damaged" where that cannot be read. `indexed` counts the faces
    that the document calls indexed, `encodings` those in db 3.
    """

    picture_id: str
    state: str | None
    indexed: int
    in_flight: bool
    named: bool
    encodings: int


def picture_states(redis: RedisClient, picture_ids: Sequence[str]) -> list[PictureState]:
    """Look where pictures stand, all at one instant."""
    if not picture_ids:
        return []
    with redis.session() as session:
        documents, scores, *rest = session.snapshot(
            (HOME, "MGET", *map(status_key, picture_ids)),
            (HOME, "ZMSCORE", INFLIGHT, *picture_ids),
            *((HASHES, "EXISTS", picture_id) for picture_id in picture_ids),
            *((ENCODINGS, "LLEN", picture_id) for picture_id in picture_ids),
        )
    named, lengths = rest[: len(picture_ids)], rest[len(picture_ids) :]
    return [
        PictureState(picture_id, *_read(document), score is not None, bool(has_names), length)
        for picture_id, document, score, has_names, length in zip(
            picture_ids, documents, scores, named, lengths, strict=True
        )
    ]


def _read(document: bytes | None) -> tuple[str | None, int]:
    """State and count of indexed faces; a face counts unless it is marked `"indexed": false`."""
    status = Status.from_json(document)
    if status is None:
        return None, 0
    return status.state, sum(face.get("indexed", True) is not False for face in status.faces)
