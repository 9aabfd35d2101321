"""How a request's body is read."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote_to_bytes

import flask
from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from faces.errors import PictureNameError

UNLIMITED = sys.maxsize  # for `max_content_length`, where None would stand for the application's limit


class FormParser(FormDataParser):
    """Reads forms; names that are not UTF-8 are an error, where Werkzeug would take the form to be empty."""

    def parse(self, *args: Any, **options: Any) -> Any:
        """Read a form.

        Raises:
            PictureNameError: a name in it is not UTF-8. None of its files can be had then.
        """
        self.silent = False
        with ExitStack() as begun:  # Werkzeug leaves them open
            self.stream_factory = _closing(self.stream_factory, begun)
            try:
                found = super().parse(*args, **options)
            except UnicodeDecodeError as error:
                raise PictureNameError(
                    "a name in the form is not valid UTF-8; none of its files was taken"
                ) from error
            except ValueError:  # not a form
                return args[0], self.cls(), self.cls()
            begun.pop_all()
            return found


def _closing(factory: Any, begun: ExitStack) -> Any:
    """A factory of files that are closed if their form cannot be read."""
    return lambda *args, **options: begun.enter_context(factory(*args, **options))


class Request(flask.Request):
    """A request whose body is never cut off silently, and whose JSON is read whatever its Content-Type says."""

    form_data_parser_class = FormParser

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
    """Bound each request's body as its route asks, and refuse queries that are not text."""
    app.before_request(_bound)
    app.before_request(_check_query)


def _bound() -> None:
    view = flask.current_app.view_functions.get(request.endpoint or "")
    if (largest := getattr(view, "max_body", None)) is not None:
        request.max_content_length = largest


def _check_query() -> None:
    """See that a query is UTF-8: Werkzeug would leave the percent signs of other bytes in a picture's name.

    Raises:
        BadRequest: it is not.
    """
    if b"%" in request.query_string:
        try:
            unquote_to_bytes(request.query_string).decode()
        except UnicodeDecodeError as error:
            raise BadRequest("the query is not valid UTF-8: percent-encode its UTF-8 bytes") from error
