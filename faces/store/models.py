"""Going over to another model: its encodings gather in db 6, and are never compared with those in force.

Each picture's faces are encoded again, the same faces in the same order, while the fleet works on with the old
model. When none is missing, `faces.store.rebuild` with the new model makes the edges and puts both in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faces.errors import MismatchError
from faces.store import journal
from faces.store.client import RedisClient
from faces.store.keys import ENCODINGS, HOME, META, NEXT_ENCODINGS

PIECE = 1000


def put(redis: RedisClient, picture_id: str, model: str, encodings: Sequence[bytes]) -> bool:
    """Keep a picture's encodings by the next model.

    Returns:
        False if the picture was erased meanwhile, or has another number of faces; then nothing is kept.

    Raises:
        MismatchError: the model is in force already, or others of a third model are being gathered.
        StoreError: Redis is away.
    """
    while True:
        with redis.session() as session:
            _, _, (now, following), count = session.ask(
                (HOME, "WATCH", META),
                (ENCODINGS, "WATCH", picture_id),
                (HOME, "HMGET", META, "model", "next"),
                (ENCODINGS, "LLEN", picture_id),
            )
            if model.encode() == now or following not in {None, model.encode()}:
                raise MismatchError(
                    f"encodings of model {model} cannot be gathered: {(following or now).decode()} is "
                    f"{'being gathered' if following else 'in force'}"
                )
            if count != len(encodings) or not count:
                return False
            noted = [] if following else [(HOME, "HSET", META, "next", model)]
            kept = [(NEXT_ENCODINGS, "DEL", picture_id), (NEXT_ENCODINGS, "RPUSH", picture_id, *encodings)]
            if session.commit(*noted, *kept) is not None:
                return True


def missing(redis: RedisClient) -> Iterator[list[str]]:
    """Pictures that still lack encodings by the next model, piece by piece along the journal."""
    position = 0
    while True:
        (lines,) = redis.ask(journal.tail(position, PIECE))
        if not lines:
            return
        position += len(lines)
        picture_ids = list({line[1:].hex() for line in lines if line[:1] == b"+"})
        counts = redis.ask(
            *(
                (database, "LLEN", picture_id)
                for database in (ENCODINGS, NEXT_ENCODINGS)
                for picture_id in picture_ids
            )
        )
        yield [
            picture_id
            for picture_id, old, new in zip(
                picture_ids, counts[: len(picture_ids)], counts[len(picture_ids) :], strict=True
            )
            if old and not new
        ]
