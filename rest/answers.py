"""Answers in JSON."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel

from faces.documents import to_json


def answer(value: object, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON; a model is written as its fields say."""
    text = value.model_dump_json() if isinstance(value, BaseModel) else to_json(value)
    return Response(text + "\n", status, mimetype="application/json")
