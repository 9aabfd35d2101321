"""Messages of the proto to the models that `rest` checks and answers with, and back: fields have the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from pydantic import BaseModel, ValidationError

from rest.problems import invalid

Model = TypeVar("Model", bound=BaseModel)
Reply = TypeVar("Reply", bound=Message)


def asked(model: type[Model], request: Message, *without: str) -> Model:
    """A request as a model has it; fields that were not set have the model's defaults.

    Args:
        model: what checks the request.
        request: the message.
        without: fields that the model does not have.

    Raises:
        ProblemError: `bad_request`, which names the field.
    """
    fields = MessageToDict(request, preserving_proto_field_name=True)
    try:
        return model.model_validate({name: value for name, value in fields.items() if name not in without})
    except ValidationError as error:
        raise invalid(error) from error


def told(document: BaseModel | Mapping[str, Any], reply: Reply) -> Reply:
    """Fill a reply from a document; what the proto has no field for is left out."""
    fields = document.model_dump(exclude_none=True) if isinstance(document, BaseModel) else dict(document)
    faces = fields.get("faces")
    if isinstance(faces, list):
        fields["faces"] = [_with_points(face) for face in faces]
    return ParseDict(fields, reply, ignore_unknown_fields=True)


def _with_points(face: Mapping[str, Any]) -> dict[str, Any]:
    """A face whose landmarks are messages: the documents have them as pairs of numbers."""
    points = face.get("landmarks") or ()
    return {**face, "landmarks": [{"x": x, "y": y} for x, y in points]}
