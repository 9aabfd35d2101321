"""API keys: how one looks, what it may do, and what is kept of it.

A key is `ff_<id>_<secret>`; the secret is 32 random bytes. Only its SHA-256 is kept. A slow, salted hash protects
what people choose and others guess; nobody guesses 256 random bits, and a slow hash would be paid by each request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from faces.documents import fields_of, to_json
from faces.errors import StoreError

READ, SCAN, SEARCH, PEOPLE, ADMIN = SCOPES = ("read", "scan", "search", "people", "admin")

_SHAPE = re.compile(r"ff_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Key:
    """What is kept of a key. A limit of None is that of the settings, 0 is none. `created` is in Unix seconds."""

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str = field(repr=False)
    created: float
    per_minute: int | None = None
    per_day: int | None = None

    def opens(self, token: str) -> bool:
        """Tell whether a token is this key, in constant time."""
        return hmac.compare_digest(self.digest, digest_of(token))

    def to_json(self) -> str:
        """Write the document."""
        return to_json(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Key:
        """Read a document.

        Raises:
            StoreError: what is stored there is not a key's document.
        """
        try:
            values = fields_of(cls, text)
            return cls(**{**values, "scopes": tuple(values["scopes"])})
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError("the document of an API key in Redis is damaged") from error


def create(
    name: str, scopes: Iterable[str], *, per_minute: int | None = None, per_day: int | None = None
) -> tuple[Key, str]:
    """Make a key; the token that comes with it is kept nowhere, and is shown once."""
    number = secrets.token_hex(6)
    token = f"ff_{number}_{secrets.token_urlsafe(32)}"
    key = Key(
        id=number,
        name=name,
        scopes=tuple(scope for scope in SCOPES if scope in set(scopes)),
        digest=digest_of(token),
        created=time.time(),
        per_minute=per_minute,
        per_day=per_day,
    )
    return key, token


def id_of(token: str) -> str | None:
    """The id within a token; None if it does not look like one."""
    found = _SHAPE.fullmatch(token)
    return found[1] if found else None


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
