"""What the stored faces and edges are made with. What is made with something else is never mixed with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.errors import MismatchError
from faces.store import commit_lock
from faces.store.client import Command, RedisClient
from faces.store.keys import HOME, META, SCHEMA

_REMEDIES = {
    "schema": "run the version of Facefleet that made it",
    "model": "set MODEL back to go on as before, or run facefleet rebuild --model with the new one",
    "tolerance": "set MATCH_TOLERANCE={theirs} to go on as before, or run facefleet rebuild --tolerance {ours}",
}
"""What to do about data made with something else; until then nothing is changed, and pictures stay queued."""

READ_VERSION: Command = (HOME, "HMGET", META, "schema", "model", "tolerance")


@dataclass(frozen=True, slots=True)
class DataVersion:
    """The model that encodes faces, and the distance up to which two of them match."""

    model: str
    tolerance: float

    @property
    def fields(self) -> dict[str, str]:
        """The basis as `meta` has it."""
        return {"schema": SCHEMA, "model": self.model, "tolerance": repr(self.tolerance)}

    def check(self, stored: Sequence[bytes | None]) -> None:
        """See that the reply to `READ_VERSION` says the same.

        Raises:
            MismatchError: the data is made with something else, or was emptied.
        """
        for (key, ours), theirs in zip(self.fields.items(), stored, strict=True):
            if theirs is None:
                raise MismatchError(
                    f"the data in Redis no longer says which {key} it is made with: it was emptied or replaced "
                    "while this process ran; start it again"
                )
            if theirs.decode() != ours:
                raise MismatchError(
                    f"the data in Redis was made with {key} {theirs.decode()}, this process runs with {ours}: "
                    + _REMEDIES[key].format(theirs=theirs.decode(), ours=ours)
                )


def agree(redis: RedisClient, basis: DataVersion) -> None:
    """Note what the data is made with, or see that it is made with the same.

    Raises:
        MismatchError: it is made with another schema, model or tolerance.
        StoreError: Redis is away.
    """
    noting: list[Command] = [(HOME, "HSETNX", META, key, value) for key, value in basis.fields.items()]
    first, *_, stored = redis.ask(*noting, READ_VERSION)
    basis.check(stored)
    if first:
        redis.ask(*commit_lock.GIVE)
