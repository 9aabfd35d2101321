"""`/v1/statements`: what users say about people. Everything that changes people is a statement."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.people import statements as store
from faces.store.people.group_record import Face
from faces.store.people.statements import Kind, NewStatement
from faces.store.people.statements import Statement as StoredStatement
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1 import cursors
from rest.v1.cursors import CursorText
from rest.v1.person_shapes import FaceId, FaceIds, PersonId

statements = Routes("statements")

LARGEST = 256 << 10  # bytes of a statement
MAX_FACES = 1000
LARGEST_NUMBER = 2**31


class StatementBody(Parameters):
    """What is said.

    | kind | people | faces | meaning |
    |---|---|---|---|
    | name | 1 | | the person's name; two people may share one; "" removes it |
    | same | 2 | | both are one person, who keeps the first one's id, name and cover |
    | different | 2 | | they are two people |
    | unsure | 2 | | nobody can tell; the pair is not suggested again |
    | not | 1 | 1+ | these faces are not this person |
    | assign | 1 | 1+ | these faces are this person |
    | split | 1 | 1+ | these faces of the person are somebody else, all the same one |
    | hide, show | 1 | | leave the person out of lists, or show them again |
    | cover | 1 | 1 | the face that represents the person |
    """

    kind: Kind
    people: Annotated[list[PersonId], Field(min_length=1, max_length=2)]
    faces: Annotated[list[FaceId], Field(max_length=MAX_FACES)] = Field(default_factory=list)
    name: str = Field(default="", max_length=200)
    versions: dict[PersonId, Annotated[int, Field(strict=True)]] = Field(
        default_factory=dict,
        description="By id, the `version` of each person that was seen: 409 `stale` if one has changed since",
        max_length=2,
    )


class Statement(BaseModel):
    """A statement; times are Unix seconds."""

    number: int
    kind: Kind
    people: list[str] = Field(description="Ids at that time")
    faces: list[FaceId]
    name: str
    time: float
    key: str = Field(description='Id of the API key that it was made with; "" without one')
    made: str | None = Field(description="Id of the group that `assign` or `split` made")
    withdrawn: float | None = Field(description="When it was withdrawn; null while it holds")


class StatementPath(Parameters):
    """The statement."""

    number: int = Field(ge=1, le=LARGEST_NUMBER)


class HistoryQuery(Parameters):
    """Which part of the history."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class History(BaseModel):
    """A page of statements, the latest first."""

    statements: list[Statement]
    next: str | None = Field(description="Cursor of the next page; null at the end")


@statements.operation(
    "POST",
    "/v1/statements",
    scope=api_key.PEOPLE,
    answers={201: Statement},
    problems=(404, 409, 413),
    max_body=LARGEST,
)
def make_statement(body: StatementBody) -> Response:
    """Name, merge, correct or hide people. Everything in lists follows at once; each statement can be withdrawn."""
    face_ids = FaceIds(body.faces)
    statement = NewStatement(
        kind=body.kind,
        people=tuple(body.people),
        faces=tuple(str(face_ids.stored(face)) for face in body.faces),
        name=body.name,
        seen=body.versions,
        key=g.key,
        request=g.request_id,
    )
    with parts().statements.held():
        made = store.submit(parts().redis, statement)
    g.outcome = {"statement": made.number, "kind": made.kind}
    return answer(_shown([made])[0], HTTPStatus.CREATED)


@statements.operation("GET", "/v1/statements", scope=api_key.READ, answers={200: History})
def list_statements(query: HistoryQuery) -> Response:
    """All statements about people, latest first."""
    before = None if query.cursor is None else cursors.decode(query.cursor, int)[0]
    found = store.history(parts().redis, before=before, most=query.limit)
    more = bool(found) and found[-1].number > 1
    following = cursors.encode([found[-1].number]) if more else None
    return answer(History(statements=_shown(found), next=following))


@statements.operation(
    "DELETE",
    "/v1/statements/<int:number>",
    scope=api_key.PEOPLE,
    answers={200: Statement},
    problems=(404, 409),
)
def withdraw(path: StatementPath) -> Response:
    """Withdraw a statement: people become what the remaining ones say."""
    with parts().statements.held():
        found = store.withdraw(parts().redis, path.number, key=g.key, request=g.request_id)
    g.outcome = {"statement": found.number, "kind": found.kind}
    return answer(_shown([found])[0])


def _shown(found: list[StoredStatement]) -> list[Statement]:
    faces = [[Face.parse(face) for face in statement.faces] for statement in found]
    face_ids = FaceIds([face for some in faces for face in some])
    return [
        Statement(
            number=statement.number,
            kind=statement.kind,
            people=statement.people,
            faces=[face_ids[face] for face in some],
            name=statement.name,
            time=statement.time,
            key=statement.key,
            made=statement.made,
            withdrawn=statement.withdrawn,
        )
        for statement, some in zip(found, faces, strict=True)
    ]
