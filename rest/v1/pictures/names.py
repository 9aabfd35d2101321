"""`/v1/names`: which picture has a name."""

from __future__ import annotations

from flask import Response, g
from pydantic import Field
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.store.pictures import queries
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.shapes import Image, image_of, known

names = Routes("names")


class NamePath(Parameters):
    """The name that is asked about."""

    name: str = Field(min_length=1, description="A picture's name, slashes and all")


@names.operation("GET", "/v1/names/<name:name>", scope=api_key.READ, answers={200: Image}, problems=(404,))
def get_name(path: NamePath) -> Response:
    """The picture that has a name: of those sent with it, the one sent last that is done."""
    g.about = {"name": path.name}
    picture_id = queries.picture_named(parts().redis, path.name)
    if picture_id is None:
        raise NotFound("no picture that is done has this name")
    return answer(image_of(parts().redis, known(picture_id)))
