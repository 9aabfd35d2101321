"""Watches: whose matches are told of at once, as events of the kind `match`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Self

from flask import Response
from pydantic import BaseModel, Field, model_validator
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.store.events import watches as store
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.person_shapes import PersonId, known_person

watches = Routes("watches")


Prefix = Annotated[str, Field(max_length=512, description='"" for every picture, unless a person is given')]


class Watch(BaseModel):
    """Asks for new pictures that match one whose name begins with `prefix`, or that show a person."""

    id: str
    prefix: Prefix
    person: str = Field(description='Id of the person; "" for none')


class Wanted(Parameters):
    """What to watch: a prefix or a person."""

    prefix: Prefix = ""
    person: PersonId | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.prefix and self.person is not None:
            raise ValueError("give a prefix or a person, not both")
        return self


class WatchPath(BaseModel):
    """The watch."""

    watch_id: str


class WatchList(BaseModel):
    """All watches."""

    watches: list[Watch]


@watches.operation(
    "POST", "/v1/watches", scope=api_key.ADMIN, answers={201: Watch}, problems=(404,), max_body=8192
)
def add(body: Wanted) -> Response:
    """Watch for new pictures that match one whose name begins with a prefix, or any picture; or that show a person.

    From then on, each such picture is reported by an event `match` with those that it matches, or with the person.
    """
    person = "" if body.person is None else known_person(body.person).id
    return answer(_shown(store.add(parts().redis, body.prefix, person)), HTTPStatus.CREATED)


@watches.operation("GET", "/v1/watches", scope=api_key.READ, answers={200: WatchList})
def show() -> Response:
    """All watches."""
    return answer(WatchList(watches=[_shown(watch) for watch in store.every(parts().redis)]))


@watches.operation(
    "DELETE", "/v1/watches/<watch_id>", scope=api_key.ADMIN, answers={204: None}, problems=(404,)
)
def remove(path: WatchPath) -> Response:
    """Stop watching."""
    if not store.remove(parts().redis, path.watch_id):
        raise NotFound("there is no watch with this id")
    return Response(status=HTTPStatus.NO_CONTENT)


def _shown(watch: store.Watch) -> Watch:
    return Watch(id=watch.id, prefix=watch.prefix, person=watch.person)
