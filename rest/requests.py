"""How a request's body is read."""

from __future__ import annotations

import sys
from typing import Any

import flask
from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

UNLIMITED = sys.maxsize  # for `max_content_length`, where None would stand for the application's limit


class Request(flask.Request):
    """A request whose body is never cut off silently, and whose JSON is read whatever its Content-Type says."""

    @property
    def is_json(self) -> bool:
        """Whether `get_json` may read the body: always, for curl sends JSON as a form."""
        return True

    def get_data(self, *args: Any, **options: Any) -> Any:
        """Read the whole body.

        Raises:
            RequestEntityTooLarge: it is longer than allowed. Without a Content-Length, Werkzeug cuts it there.
        """
        data = super().get_data(*args, **options)
        if self.content_length is None and len(data) == self.max_content_length:
            raise RequestEntityTooLarge
        return data

    def get_json(self, *args: Any, **options: Any) -> Any:
        """Read the body as JSON; brackets nested by the thousand are an error like any other."""
        try:
            return super().get_json(*args, **options)
        except RecursionError as error:
            raise BadRequest("the JSON is nested too deeply") from error


def install(app: Flask) -> None:
    """Bound each request's body as its route asks."""
    app.before_request(_bound)


def _bound() -> None:
    view = flask.current_app.view_functions.get(request.endpoint or "")
    if (largest := getattr(view, "max_body", None)) is not None:
        request.max_content_length = largest
