"""`/v1/images/<hash>/faces/<index>/why`: why a face is in its group and in no other."""

from __future__ import annotations

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.people import directory, statements
from rest.answers import answer
from rest.openapi import Routes
from rest.parts import parts
from rest.v1.person_shapes import FaceId, FaceIds
from rest.v1.pictures.pictures import FacePath
from rest.v1.shapes import PersonName, known, named

why = Routes("why")


class Near(BaseModel):
    """Somebody else who is near."""

    person: PersonName
    distance: float
    limit: float = Field(description="Up to which distance the face could be theirs")
    reason: str = Field(description="Why the face is not theirs")


class Why(BaseModel):
    """Why a face is where it is."""

    person: PersonName
    distance: float | None = Field(description="To the other faces of its group; null: it is the only one")
    good: bool = Field(description="Whether its quality is good: poor faces join later")
    statements: list[int] = Field(description="Numbers of the statements about it or its group")
    near: list[Near] = Field(description="The nearest other people")


@why.operation(
    "GET", "/v1/images/<hash>/faces/<int:index>/why", scope=api_key.READ, answers={200: Why}, problems=(404,)
)
def explain(path: FacePath) -> Response:
    """Why a face is in its group, which others are near, and why it is not theirs."""
    g.about = {"hash": path.hash}
    known(path.hash)
    face = FaceId(hash=path.hash, face=path.index)
    with parts().statements.held():
        told = statements.explain(parts().redis, str(FaceIds([face]).stored(face)))
    ids = [told["person"], *(near["person"] for near in told["near"])]
    itself, *others = [
        PersonName(id=one, name="") if somebody is None else named(somebody)
        for one, somebody in zip(ids, directory.several(parts().redis, ids), strict=True)
    ]
    return answer(
        Why(
            person=itself,
            distance=told["distance"],
            good=told["good"],
            statements=told["statements"],
            near=[
                Near(person=other, **{name: near[name] for name in ("distance", "limit", "reason")})
                for other, near in zip(others, told["near"], strict=True)
            ],
        )
    )
