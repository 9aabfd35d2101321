"""OpenAPI 3.1, produced by flask-openapi from the models that validate the requests.

Each route names the scope that its caller needs, what it answers, and the problems it may answer instead;
`rest.auth` enforces the scope that stands here, and the document describes it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.models.license import License
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI
from flask_openapi.utils import parse_rule
from pydantic import BaseModel, ConfigDict, Field

from rest.auth.scopes import PUBLIC
from rest.problems import invalid_request
from rest.requests import Request

View = TypeVar("View", bound=Callable[..., Any])

REASONS = {
    400: "The request cannot be understood: a missing or invalid parameter, body or name",
    401: "A valid API key is required",
    403: "The key lacks the scope, the web page's origin is not allowed, or the URL leads to a private address",
    404: "Unknown",
    405: "The method is not allowed here",
    408: "The body did not arrive in time",
    409: "The request conflicts with the current state",
    413: "Too many bytes or pixels",
    415: "Not a picture or video, or of a format that is not accepted",
    416: "The range lies outside the content",
    422: "A picture that cannot be processed, or an Idempotency-Key that was used for another request",
    429: "The key's rate limit, or the limit of invalid keys from one address, is reached; see Retry-After",
    501: "This server is not set up for it",
    502: "The URL could not be fetched",
    503: "Redis, RabbitMQ, the image store or the workers are unavailable; see Retry-After",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
GUARDED = (401, 403, 429, 503)
BODY = (408, 413, 415, 422)


class Problem(BaseModel):
    """RFC 9457; `request_id` finds the request in the log."""

    title: str
    status: int
    code: str = Field(description="For programs; stable")
    detail: str = Field(description="For people")
    request_id: str = ""


class Parameters(BaseModel):
    """Parameters of a request: an unknown one is an error, not a guess."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema, made once: flask-openapi asks for it with every request."""
        return _schema(super().model_json_schema, *args, **options)


@cache
def _schema(make: Callable[..., dict[str, Any]], *args: Any, **options: Any) -> dict[str, Any]:
    return make(*args, **options)


class Api(OpenAPI):
    """A Flask application that describes itself."""

    request_class = Request

    def __init__(self) -> None:
        super().__init__(
            "facefleet",
            info=Info(
                title="Facefleet",
                version="1",
                summary="Finds every picture that shows the same face",
                license=License(name="MIT", identifier="MIT"),
            ),
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "header": SecurityScheme.model_validate(
                    {"type": "apiKey", "in": "header", "name": "X-API-Key"}
                ),
            },
            validation_error_status=HTTPStatus.BAD_REQUEST.value,
            validation_error_model=Problem,
            validation_error_callback=invalid_request,
            doc_ui=False,
            static_folder=None,
        )
        self.openapi_version = "3.1.0"

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none of ours is a coroutine, which Flask would look for with every request."""
        return func


class Routes(APIBlueprint):
    """The routes of one noun."""

    def __init__(self, name: str) -> None:
        super().__init__(name, __name__, abp_tags=[{"name": name}])

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: str,
        answers: Mapping[Any, Any],
        problems: Iterable[int] = (),
        body: Mapping[str, Any] | None = None,
        max_body: int | None = None,
        also: Iterable[str] = (),
        hidden: bool = False,
        **options: Any,
    ) -> Callable[[View], View]:
        """Register a view.

        Args:
            method: the HTTP method.
            rule: the path, as Flask writes it.
            scope: what the caller's API key must allow; `PUBLIC`: no key is needed.
            answers: by status, a model, a response as OpenAPI writes it, or None for no body.
            problems: statuses answered with a problem document, beside those of every route.
            body: the request's content as OpenAPI writes it, by media type, where no model validates it.
            max_body: most bytes of the body; None: as many as a picture may have.
            also: media types that 200 may have beside JSON.
            hidden: leave the route out of the document.
            options: what Flask's add_url_rule takes.
        """

        def register(view: View) -> View:
            view.scope = scope  # type: ignore[attr-defined]  # read by rest.auth.scopes
            view.max_body = max_body  # type: ignore[attr-defined]  # read by rest.requests
            statuses = {400, *problems, *(() if scope == PUBLIC else GUARDED), *((413,) if max_body else ())}
            about: dict[str, Any] = (
                {"request_body": {"content": dict(body), "required": True}} if body else {}
            )
            add = getattr(self, method.lower())(
                rule,
                description=_description(view, scope),
                security=[{}] if scope == PUBLIC else [{}, {"bearer": []}, {"header": []}],
                responses={**{status: _problem(status) for status in sorted(statuses)}, **answers},
                doc_ui=not hidden,
                **about,
                **options,
            )
            add(view)
            if also:
                operation = getattr(self.paths[parse_rule(rule)], method.lower())
                operation.responses["200"].content |= dict.fromkeys(also, MediaType.model_validate(BINARY))
            return view

        return register


def content(description: str, *kinds: str) -> dict[str, Any]:
    """Describe an answer that is not JSON."""
    return {"description": description, "content": dict.fromkeys(kinds, BINARY)}


def _description(view: Callable[..., Any], scope: str) -> str:
    _, _, rest = (inspect.getdoc(view) or "").partition("\n")
    key = (
        "Needs no API key." if scope == PUBLIC else f"Needs the scope `{scope}` where API keys are required."
    )
    return "\n\n".join(filter(None, (rest.strip(), key)))


def _problem(status: int) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": REASONS[status], "content": {"application/problem+json": schema}}
