"""What the stored faces and edges were made with. What was made with something else is never mixed with them.

`SCHEMA` is the version of the layout in Redis. Data of an older layout is migrated by the first worker that starts.
A layout that only gains fields or keys needs no new version, because readers have defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faces.errors import MismatchError
from faces.store.client import Command, RedisClient, Session
from faces.store.collection import commit_lock
from faces.store.keys import HOME, META, SCHEMA

_REMEDIES = {
    "schema": "run the version of Facefleet that made it",
    "model": "set MODEL back to go on as before, or run facefleet rebuild --model with the new one",
    "tolerance": "set MATCH_TOLERANCE={theirs} to go on as before, or run facefleet rebuild --tolerance {ours}",
}
"""What to do about data made with something else; until then nothing is changed, and pictures stay queued."""

READ_VERSION: Command = (HOME, "HMGET", META, "schema", "model", "tolerance")

Migration = Callable[[Session], Sequence[Command]]
"""Reads what it has to and returns the commands that change the layout, which become one transaction."""

MIGRATIONS: Mapping[str, tuple[str, Migration]] = {}
"""By the version that it starts from: the next version, and how to get there. Up to schema 1 there was no other."""


@dataclass(frozen=True, slots=True)
class DataVersion:
    """The model that encodes faces, and the largest distance at which two of them match."""

    model: str
    tolerance: float

    @property
    def fields(self) -> dict[str, str]:
        """Return the version as `meta` has it."""
        return {"schema": SCHEMA, "model": self.model, "tolerance": repr(self.tolerance)}

    def check(self, stored: Sequence[bytes | None]) -> None:
        """Check that the reply to `READ_VERSION` says the same.

        Raises:
            MismatchError: the data was made with something else, or was deleted.
        """
        for (key, ours), theirs in zip(self.fields.items(), stored, strict=True):
            if theirs is None:
                raise MismatchError(
                    f"the data in Redis no longer says which {key} it was made with: it was deleted or replaced "
                    "while this process ran; restart it"
                )
            if theirs.decode() != ours:
                raise MismatchError(
                    f"the data in Redis was made with {key} {theirs.decode()}, this process runs with {ours}: "
                    + _REMEDIES[key].format(theirs=theirs.decode(), ours=ours)
                )


def migrate(redis: RedisClient, migrations: Mapping[str, tuple[str, Migration]] = MIGRATIONS) -> None:
    """Bring data of an older layout to the present one, step by step; of several workers, each step is made once.

    Raises:
        StoreError: Redis is unavailable; what was migrated so far stays.
    """
    while True:
        with redis.session() as session:
            _, (schema, *_) = session.ask((HOME, "WATCH", META), READ_VERSION)
            if schema is None or schema.decode() not in migrations:
                return
            version, migration = migrations[schema.decode()]
            session.commit(*migration(session), (HOME, "HSET", META, "schema", version))


def agree(redis: RedisClient, data_version: DataVersion) -> None:
    """Record what the data is made with, or check that it was made with the same.

    Raises:
        MismatchError: it was made with another schema, model or tolerance.
        StoreError: Redis is unavailable.
    """
    migrate(redis)
    recorded: list[Command] = [
        (HOME, "HSETNX", META, key, value) for key, value in data_version.fields.items()
    ]
    first, *_, stored = redis.ask(*recorded, READ_VERSION)
    data_version.check(stored)
    if first:
        redis.ask(*commit_lock.GIVE)
