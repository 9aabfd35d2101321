"""What becomes of each picture of a `POST /v1/images`, as it is answered."""

from __future__ import annotations

from pydantic import BaseModel, Field

from faces.errors import Permanent
from faces.usecases.ingest import Accepted, Outcome
from rest.problems import public_reason, status_of
from rest.v1.shapes import Hash, State


class ItemProblem(BaseModel):
    """Why a picture was not accepted."""

    status: int
    code: str
    detail: str


class Item(BaseModel):
    """What became of one picture of a request."""

    name: str | None
    hash: Hash | None = None
    location: str | None = None
    new: bool | None = Field(default=None, description="Whether it is still to be processed")
    state: State | None = Field(default=None, description="What it is now, where the request waited for it")
    faces: int | None = Field(default=None, description="How many faces it shows, once it is done")
    problem: ItemProblem | None = Field(default=None, description="Why it was not accepted")


def item_of(name: str | None, outcome: Outcome) -> Item:
    """The item of a picture that was sent under a name; None: its hash."""
    if isinstance(outcome, Accepted):
        picture_id = outcome.picture_id
        return Item(
            name=name or picture_id, hash=picture_id, location=f"/v1/images/{picture_id}", new=outcome.new
        )
    if isinstance(outcome, Permanent):
        return refused(name, outcome.code, str(outcome))
    return refused(name, "unavailable", f"{public_reason(outcome)}; send it again")


def refused(name: str | None, code: str, detail: str) -> Item:
    """The item of a picture that was not accepted."""
    problem = ItemProblem(status=int(status_of(code)), code=code, detail=detail)
    shown = None if name is None else name.encode(errors="backslashreplace").decode()  # it may be no Unicode
    return Item(name=shown, problem=problem)
