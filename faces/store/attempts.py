"""How often a picture was begun again after a worker died with it; forgotten when it is done or failed."""

from __future__ import annotations

from faces.store.keys import ATTEMPTS, HOME, status_key
from faces.store.link import Link
from faces.store.status import Status


def begin(link: Link, picture: str) -> int:
    """Count one more start of a picture, before it is begun; give the count.

    Raises:
        StoreError: Redis is away.
    """
    (count,) = link.ask((HOME, "HINCRBY", ATTEMPTS, picture, 1))
    return int(count)


def excuse(link: Link, picture: str) -> None:
    """Take one start off an unfinished picture: it comes again, although the worker that has it is well.

    Raises:
        StoreError: Redis is away.
    """
    with link.session() as session:
        _, document = session.ask((HOME, "WATCH", status_key(picture)), (HOME, "GET", status_key(picture)))
        status = Status.from_json(document)
        if status is not None and status.state == "pending":
            session.commit((HOME, "HINCRBY", ATTEMPTS, picture, -1))


def forget(link: Link, picture: str) -> None:
    """Forget the starts of a picture that turns out to be finished, or gone.

    Raises:
        StoreError: Redis is away.
    """
    link.ask((HOME, "HDEL", ATTEMPTS, picture))
