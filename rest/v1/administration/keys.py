"""`/v1/keys`: API keys. A key itself is shown once, when it is created."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from flask import Response, g
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.api_key import Key
from faces.store.access import api_keys
from rest import audit
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts

keys = Routes("keys")

Scope = Literal["read", "scan", "search", "people", "admin"]
Limit = Field(default=None, ge=0, le=10**9, description="0: unlimited; null: as the settings have it")


class WantedKey(Parameters):
    """Who the key is for, and what it may do."""

    name: str = Field(min_length=1, max_length=100, description="Whose key it is, or what it is for")
    scopes: list[Scope] = Field(min_length=1, max_length=len(api_key.SCOPES))
    per_minute: int | None = Limit
    per_day: int | None = Limit


class ShownKey(BaseModel):
    """What is kept of a key; `created` is in Unix seconds."""

    id: str
    name: str
    scopes: list[Scope]
    created: float
    per_minute: int | None = Field(
        description="Requests a minute; 0: unlimited; null: as the settings have it"
    )
    per_day: int | None = Field(description="Requests a day, likewise")
    yours: bool = Field(description="Whether this request was made with it")


class NewKey(ShownKey):
    """A new key with its token, which is not shown again."""

    token: str


class KeyList(BaseModel):
    """All valid keys, the oldest first."""

    keys: list[ShownKey]


class KeyPath(BaseModel):
    """The key."""

    key_id: str


@keys.operation("GET", "/v1/keys", scope=api_key.ADMIN, answers={200: KeyList})
def list_keys() -> Response:
    """List all valid keys."""
    return answer(KeyList(keys=[ShownKey(**_shown(key)) for key in api_keys.every(parts().redis)]))


@keys.operation("POST", "/v1/keys", scope=api_key.ADMIN, answers={201: NewKey}, max_body=8192)
def add_key(body: WantedKey) -> Response:
    """Create a key. Its token is in this answer and nowhere else."""
    key, token = api_key.create(body.name, body.scopes, per_minute=body.per_minute, per_day=body.per_day)
    audit.note_key("issue", key.id)
    api_keys.add(parts().redis, key)
    return answer(NewKey(**_shown(key), token=token), HTTPStatus.CREATED)


@keys.operation("DELETE", "/v1/keys/<key_id>", scope=api_key.ADMIN, answers={204: None}, problems=(404,))
def revoke_key(path: KeyPath) -> Response:
    """Revoke a key, at once and on every server; your own too."""
    if api_keys.find(parts().redis, path.key_id) is None:
        parts().redis.confirm()  # it may have been revoked by a request that was answered 503
        raise NotFound("there is no key with this id")
    audit.note_key("revoke", path.key_id)
    api_keys.remove(parts().redis, path.key_id)
    return Response(status=HTTPStatus.NO_CONTENT)


def _shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created,
        "per_minute": key.per_minute,
        "per_day": key.per_day,
        "yours": key.id == g.key,
    }
