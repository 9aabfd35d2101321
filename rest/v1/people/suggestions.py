"""`/v1/suggestions`: who may be one person."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.people import appearances
from faces.store.people import directory as store
from faces.store.people.directory import Person as StoredPerson
from faces.store.people.group_record import Face
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.person_shapes import FaceId, FaceIds, Person, PersonId, known_person, shown

suggestions = Routes("suggestions")

EXAMPLES = 6  # faces shown of each side
AMONG = 200  # faces of a person among which they are found


class SuggestionsQuery(Parameters):
    """Which suggestions to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 20
    person: PersonId | None = Field(default=None, description="Only those about this person")


class Suggestion(BaseModel):
    """Two people who may be one. The faces are the least typical ones, where a mistake shows first."""

    first: Person
    second: Person
    distance: float = Field(description="Root mean squared distance between their faces")
    limit: float = Field(description="Up to which distance they would have been merged without asking")
    faces: int = Field(description="How many faces an answer settles")
    shared: int = Field(description="How many pictures show both")
    first_faces: list[FaceId]
    second_faces: list[FaceId]


class SuggestionList(BaseModel):
    """The most useful question first."""

    suggestions: list[Suggestion]


@suggestions.operation(
    "GET", "/v1/suggestions", scope=api_key.READ, answers={200: SuggestionList}, problems=(404,)
)
def list_suggestions(query: SuggestionsQuery) -> Response:
    """List pairs that may be one person, most useful first; a statement answers one."""
    about = None if query.person is None else known_person(query.person).id
    found = store.suggestions(parts().redis, most=query.limit, about=about)
    everybody = {person.id: person for pair in found for person in (pair.first, pair.second)}
    people = dict(zip(everybody, shown(list(everybody.values())), strict=True))
    farthest = {number: _farthest(person) for number, person in everybody.items()}
    face_ids = FaceIds([face for some in farthest.values() for face in some])
    examples = cache(lambda number: [face_ids[face] for face in farthest[number]])
    return answer(
        SuggestionList(
            suggestions=[
                Suggestion(
                    first=people[pair.first.id],
                    second=people[pair.second.id],
                    distance=pair.distance,
                    limit=pair.limit,
                    faces=pair.faces,
                    shared=pair.shared,
                    first_faces=examples(pair.first.id),
                    second_faces=examples(pair.second.id),
                )
                for pair in found
            ]
        )
    )


def _farthest(person: StoredPerson) -> list[Face]:
    """The least typical faces of a person, farthest first."""
    found = appearances.faces(parts().redis, person, among=AMONG)
    return [Face(bytes.fromhex(face.picture_id), face.index) for face in reversed(found[-EXAMPLES:])]
