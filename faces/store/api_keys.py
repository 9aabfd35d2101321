"""The API keys that are in force."""

from __future__ import annotations

from faces.access import Key
from faces.store.keys import API_KEYS, HOME
from faces.store.link import Link


def add(link: Link, key: Key) -> None:
    """Put a key in force."""
    link.ask((HOME, "HSET", API_KEYS, key.id, key.to_json()))


def add_first(link: Link, key: Key) -> bool:
    """Put a key in force if there is none; of several servers that start at once, one does."""
    with link.session() as session:
        _, present = session.ask((HOME, "WATCH", API_KEYS), (HOME, "HLEN", API_KEYS))
        return not present and session.commit((HOME, "HSET", API_KEYS, key.id, key.to_json())) is not None


def find(link: Link, number: str) -> Key | None:
    """The key with an id; None if there is none."""
    (document,) = link.ask((HOME, "HGET", API_KEYS, number))
    return None if document is None else Key.from_json(document)


def every(link: Link) -> list[Key]:
    """All keys, the oldest first."""
    (documents,) = link.ask((HOME, "HVALS", API_KEYS))
    return sorted(map(Key.from_json, documents), key=lambda key: key.created)


def remove(link: Link, number: str) -> bool:
    """Take a key out of force, at once and everywhere; False if there is none."""
    (removed,) = link.ask((HOME, "HDEL", API_KEYS, number))
    return bool(removed)
