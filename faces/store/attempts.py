"""How often a picture was begun again after a worker died with it; forgotten when it is done or failed."""

from __future__ import annotations

from faces.store.keys import ATTEMPTS, HOME
from faces.store.link import Link


def begin(link: Link, picture: str) -> int:
    """Count one more start of a picture, before it is begun; give the count.

    Raises:
        StoreError: Redis is away.
    """
    (count,) = link.ask((HOME, "HINCRBY", ATTEMPTS, picture, 1))
    return int(count)


def forget(link: Link, picture: str) -> None:
    """Forget the starts of a picture that turns out to be finished, or gone.

    Raises:
        StoreError: Redis is away.
    """
    link.ask((HOME, "HDEL", ATTEMPTS, picture))
