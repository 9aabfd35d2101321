"""Changing to another model: its encodings are collected in db 6, and never compared with the present ones.

Each picture's faces are encoded again, the same faces in the same order, while the fleet works on with the old
model. When none is missing, `faces.store.collection.rebuild` with the new model makes the edges and swaps both in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faces.errors import MismatchError
from faces.store.client import RedisClient
from faces.store.collection import journal
from faces.store.keys import ENCODINGS, HOME, META, NEXT_ENCODINGS

PIECE = 1000


def put(redis: RedisClient, picture_id: str, model: str, encodings: Sequence[bytes]) -> bool:
    """Keep a picture's encodings by the next model.

    Returns:
        False if the picture was erased meanwhile, or has another number of faces; then nothing is kept.

    Raises:
        MismatchError: it is the present model already, or encodings of a third one are being collected.
        StoreError: Redis is unavailable.
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
                    f"{'being gathered' if following else 'in use'}"
                )
            if count != len(encodings) or not count:
                return False
            noted = [] if following else [(HOME, "HSET", META, "next", model)]
            kept = [(NEXT_ENCODINGS, "DEL", picture_id), (NEXT_ENCODINGS, "RPUSH", picture_id, *encodings)]
            if session.commit(*noted, *kept) is not None:
                return True


def missing(redis: RedisClient) -> Iterator[list[str]]:
    """Pictures that still lack encodings by the next model, piece by piece along the journal."""
    before, (position, lacking) = 0, lacking_after(redis, 0)
    while position > before:
        yield lacking
        before, (position, lacking) = position, lacking_after(redis, position)


def lacking_after(redis: RedisClient, position: int) -> tuple[int, list[str]]:
    """Read a piece of the journal from a position on.

    Returns:
        The position after the piece, the same at the journal's end; and the pictures in the piece that still lack
        encodings by the next model.
    """
    (lines,) = redis.ask(journal.tail(position, PIECE))
    picture_ids = list({line[1:].hex() for line in lines if line[:1] == b"+"})
    both = (ENCODINGS, NEXT_ENCODINGS)
    counts = redis.ask(*((database, "LLEN", one) for one in picture_ids for database in both))
    lengths = zip(picture_ids, counts[::2], counts[1::2], strict=True)
    return position + len(lines), [picture_id for picture_id, old, new in lengths if old and not new]


def announce(redis: RedisClient, model: str) -> None:
    """Note which model follows, also where there is no face to encode; another one noted before stays."""
    redis.ask((HOME, "HSETNX", META, "next", model))


def abandon(redis: RedisClient) -> None:
    """Give up going over to another model; its encodings are dropped."""
    with redis.session() as session:
        session.commit((HOME, "HDEL", META, "next"), (NEXT_ENCODINGS, "FLUSHDB", "ASYNC"))
