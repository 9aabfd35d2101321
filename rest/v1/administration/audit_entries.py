"""`/v1/audit`: who did what to which picture."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.access import audit_log
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1 import cursors
from rest.v1.cursors import CursorText

audit_entries = Routes("audit")


class AuditQuery(Parameters):
    """Which entries to list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class AuditEntry(BaseModel):
    """One action; `time` is in Unix seconds."""

    time: float
    key: str = Field(description="Id of the key; `terminal` for a command on the server's own machine")
    did: str = Field(description="scan, search, erase, submit, withdraw, issue or revoke")
    about: str = Field(description="A picture's hash, `statement` and its number, or `key` and its id")
    request_id: str


class AuditList(BaseModel):
    """A page, the newest first."""

    entries: list[AuditEntry]
    next: str | None = Field(description="Cursor of the next page; null at the end")


@audit_entries.operation("GET", "/v1/audit", scope=api_key.ADMIN, answers={200: AuditList})
def list_entries(query: AuditQuery) -> Response:
    """List who did what, the newest first."""
    before = None if query.cursor is None else cursors.stream_position(query.cursor)
    found, following = audit_log.page(parts().redis, query.limit, before)
    return answer(
        AuditList(
            entries=[
                AuditEntry(
                    time=entry.time,
                    key=entry.key,
                    did=entry.did,
                    about=entry.picture_id,
                    request_id=entry.request,
                )
                for entry in found
            ],
            next=None if following is None else cursors.encode(list(following)),
        )
    )
