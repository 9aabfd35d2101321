"""The audit log, as routes write to it."""

from __future__ import annotations

from collections.abc import Callable

from flask import g

from faces.picture_id import is_picture_id
from faces.store.access.audit_log import Action
from rest.parts import parts

Note = Callable[[Action, str], None]
"""Records what the caller is about to do with a picture."""


def note(did: Action, picture_id: str) -> None:
    """Record what the caller is about to do with a picture; without API keys the caller is unknown."""
    if g.key and is_picture_id(picture_id):
        parts().audit_log.note(g.key, did, picture_id, g.request_id)


def note_key(did: Action, key_id: str) -> None:
    """Record what the caller is about to do with an API key; without API keys the caller is unknown."""
    parts().audit_log.note(g.key or "nobody", did, f"key {key_id}", g.request_id)
