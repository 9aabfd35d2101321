"""Messages of the proto to the models that `rest` checks and answers with, and back: fields have the same names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from pydantic import BaseModel, ValidationError

from rest.problems import invalid
from rpc.facefleet_pb2 import Point

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


def told(document: BaseModel | Mapping[str, Any], reply: type[Reply]) -> Reply:
    """A reply with what a document says; what the proto has no field for is left out."""
    fields = document.model_dump() if isinstance(document, BaseModel) else document
    return reply(**_fitting(fields, cast(Descriptor, reply.DESCRIPTOR)))


def _fitting(document: Mapping[str, Any], kind: Descriptor) -> dict[str, Any]:
    """What of a document a message has fields for.

    `ParseDict` does so too, and takes ten times as long.
    """
    return {
        name: _value(document[name], inner) for name, inner in _fields(kind) if document.get(name) is not None
    }


def _value(value: Any, kind: Descriptor | None) -> Any:
    """A field's value, `kind` being its message, if it is one."""
    if kind is None:
        return value
    if kind is Point.DESCRIPTOR:  # the documents have landmarks as pairs of numbers
        return [{"x": x, "y": y} for x, y in value]
    if isinstance(value, list):
        return [_fitting(one, kind) for one in value]
    return _fitting(value, kind)


@cache
def _fields(kind: Descriptor) -> tuple[tuple[str, Descriptor | None], ...]:
    """A message's fields, each with its own message, if it is one; the entries of a map are not looked into."""
    return tuple((field.name, _message(field)) for field in kind.fields)


def _message(field: FieldDescriptor) -> Descriptor | None:
    inner = field.message_type
    return None if inner is None or inner.GetOptions().map_entry else inner
