"""Which picture a person means: by its hash, by the file itself, or by a name that it has."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from client.errors import UsageError
from faces.config import Settings
from faces.picture_id import is_picture_id, picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries


def hash_or_file(given: str) -> str:
    """Return the given hash, or that of the file at the given path.

    Raises:
        UsageError: it is neither a hash nor a file that can be read.
    """
    if is_picture_id(given):
        return given
    try:
        return picture_id_of(Path(given).read_bytes())
    except OSError as error:
        raise UsageError(
            f"{given} is neither a hash of 64 hex digits nor a readable file: {error.strerror}"
        ) from error


def known_picture(given: str, settings: Settings) -> str:
    """Return the hash of a picture given as a hash, as a file, or by name; a file comes before a name.

    Raises:
        UsageError: it is none of these.
        StoreError: Redis, which knows the names, is away.
    """
    if is_picture_id(given) or Path(given).is_file():
        return hash_or_file(given)
    with closing(RedisClient(settings)) as redis:
        picture_id = named(redis, given)
    if picture_id is None:
        raise UsageError(f"{given} is neither a hash of 64 hex digits, nor a file, nor the name of a picture")
    return picture_id


def named(redis: RedisClient, name: str) -> str | None:
    """Return the picture with a name, or else one that will have it once it is processed."""
    waiting = (one.picture_id for one in queries.unfinished(redis) if name in one.names)
    return queries.picture_named(redis, name) or next(waiting, None)
