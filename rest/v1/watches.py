"""Watches: whose matches are told of at once, as events of the kind `match`."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.store import watches as store
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts

watches = Routes("watches")


class Watch(BaseModel):
    """Asks for new pictures that match one whose name begins with `prefix`."""

    id: str
    prefix: str = Field(max_length=512, description='"" for every picture')


class Wanted(Parameters):
    """What to watch."""

    prefix: str = Field(default="", max_length=512, description='"" for every picture')


class WatchPath(BaseModel):
    """The watch."""

    watch_id: str


class WatchList(BaseModel):
    """All watches."""

    watches: list[Watch]


@watches.operation("POST", "/v1/watches", scope=api_key.ADMIN, answers={201: Watch}, max_body=8192)
def add(body: Wanted) -> Response:
    """Tell of new pictures that match one whose name begins with a prefix, or any picture.

    From then on, such a picture is told of by an event `match` with those that it matches.
    """
    watch = store.add(parts().redis, body.prefix)
    return answer(Watch(id=watch.id, prefix=watch.prefix), HTTPStatus.CREATED)


@watches.operation("GET", "/v1/watches", scope=api_key.READ, answers={200: WatchList})
def show() -> Response:
    """All watches."""
    found = [Watch(id=watch.id, prefix=watch.prefix) for watch in store.every(parts().redis)]
    return answer(WatchList(watches=found))


@watches.operation(
    "DELETE", "/v1/watches/<watch_id>", scope=api_key.ADMIN, answers={204: None}, problems=(404,)
)
def remove(path: WatchPath) -> Response:
    """Watch no longer."""
    if not store.remove(parts().redis, path.watch_id):
        raise NotFound("there is no watch with this id")
    return Response(status=HTTPStatus.NO_CONTENT)
