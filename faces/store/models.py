"""Going over to another model: its encodings gather in db 6, and are never compared with those in force.

Each picture's faces are encoded again, the same faces in the same order, while the fleet works on with the old
model. When none is missing, `faces.store.rebuild` with the new model makes the edges and puts both in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faces.errors import MismatchError
from faces.store import journal
from faces.store.keys import ENCODINGS, HOME, META, NEXT_ENCODINGS
from faces.store.link import Link

PIECE = 1000


def put(link: Link, picture: str, model: str, encodings: Sequence[bytes]) -> bool:
    """Keep a picture's encodings by the next model.

    Returns:
        False if the picture was erased meanwhile, or has another number of faces; then nothing is kept.

    Raises:
        MismatchError: the model is in force already, or others of a third model are being gathered.
        StoreError: Redis is away.
    """
    while True:
        with link.session() as session:
            _, _, (now, following), count = session.ask(
                (HOME, "WATCH", META),
                (ENCODINGS, "WATCH", picture),
                (HOME, "HMGET", META, "model", "next"),
                (ENCODINGS, "LLEN", picture),
            )
            if model.encode() == now or following not in {None, model.encode()}:
                raise MismatchError(
                    f"encodings of model {model} cannot be gathered: {(following or now).decode()} is "
                    f"{'being gathered' if following else 'in force'}"
                )
            if count != len(encodings) or not count:
                return False
            noted = [] if following else [(HOME, "HSET", META, "next", model)]
            kept = [(NEXT_ENCODINGS, "DEL", picture), (NEXT_ENCODINGS, "RPUSH", picture, *encodings)]
            if session.commit(*noted, *kept) is not None:
                return True


def missing(link: Link) -> Iterator[list[str]]:
    """Pictures that still lack encodings by the next model, piece by piece along the journal."""
    position = 0
    while True:
        (lines,) = link.ask(journal.tail(position, PIECE))
        if not lines:
            return
        position += len(lines)
        pictures = list({line[1:].hex() for line in lines if line[:1] == b"+"})
        counts = link.ask(
            *((database, "LLEN", picture) for database in (ENCODINGS, NEXT_ENCODINGS) for picture in pictures)
        )
        yield [
            picture
            for picture, old, new in zip(
                pictures, counts[: len(pictures)], counts[len(pictures) :], strict=True
            )
            if old and not new
        ]
