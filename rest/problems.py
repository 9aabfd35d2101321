"""Errors -> problem documents (RFC 9457): always JSON, always with a stable `code`, never a traceback.

`PROBLEMS` lists every code; docs/api.md has the same table, and a test holds the two together.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, g
from pydantic import ValidationError
from werkzeug.exceptions import (
    HTTPException,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
    TooManyRequests,
)

from faces.documents import to_json
from faces.errors import GroupsError, Permanent, Transient
from faces.process.process_log import about

RETRY_AFTER = 5  # seconds; a broker that restarts is back by then

PROBLEMS: dict[str, tuple[HTTPStatus, str]] = {
    "bad_request": (HTTPStatus.BAD_REQUEST, "a parameter or the body is missing, unknown or invalid"),
    "bad_name": (HTTPStatus.BAD_REQUEST, "the name is empty, too long or not valid Unicode"),
    "bad_url": (HTTPStatus.BAD_REQUEST, "not an http or https URL"),
    "bad_cursor": (HTTPStatus.BAD_REQUEST, "the cursor is not one of this list"),
    "bad_archive": (HTTPStatus.BAD_REQUEST, "the body is not a tar archive, or is cut short"),
    "empty": (HTTPStatus.BAD_REQUEST, "there is no picture in the request"),
    "bad_statement": (HTTPStatus.BAD_REQUEST, "a statement of this kind takes other people, faces or name"),
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "no API key, or an invalid one"),
    "forbidden": (HTTPStatus.FORBIDDEN, "the key lacks the scope, or the web page's origin is not allowed"),
    "address_not_allowed": (HTTPStatus.FORBIDDEN, "the URL leads to a private address"),
    "not_found": (HTTPStatus.NOT_FOUND, "unknown picture, name, face, person, statement or path"),
    "missing": (HTTPStatus.NOT_FOUND, "the image store does not have the picture's original"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "the path does not take this method"),
    "request_timeout": (HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time"),
    "not_finished": (HTTPStatus.CONFLICT, "the picture is still pending"),
    "not_failed": (HTTPStatus.CONFLICT, "only a failed picture can be replayed"),
    "in_progress": (HTTPStatus.CONFLICT, "a request with this Idempotency-Key is still in progress"),
    "stale": (HTTPStatus.CONFLICT, "the person has changed since you looked: look again"),
    "contradiction": (HTTPStatus.CONFLICT, "an earlier statement says otherwise: the detail says which"),
    "too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body or picture has too many bytes"),
    "too_many_pixels": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the picture has too many pixels"),
    "request_uri_too_long": (HTTPStatus.REQUEST_URI_TOO_LONG, "the request line has more than 8,190 bytes"),
    "not_a_picture": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the bytes are not a picture"),
    "not_a_video": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "the bytes are not a video, or not in a format that is read",
    ),
    "format_not_allowed": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the picture's format is not accepted"),
    "range_not_satisfiable": (
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "the Range lies outside the content",
    ),
    "truncated": (HTTPStatus.UNPROCESSABLE_ENTITY, "the picture is cut short"),
    "damaged": (HTTPStatus.UNPROCESSABLE_ENTITY, "the picture cannot be decoded"),
    "no_face": (HTTPStatus.UNPROCESSABLE_ENTITY, "no face was found in a picture that needs one"),
    "idempotency_key_reused": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "the Idempotency-Key was used for another request",
    ),
    "too_many_requests": (HTTPStatus.TOO_MANY_REQUESTS, "a rate limit is reached; see Retry-After"),
    "request_header_fields_too_large": (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "the request's headers are too large",
    ),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "a bug; the log has the request_id"),
    "no_image_store": (
        HTTPStatus.NOT_IMPLEMENTED,
        "originals are not kept: see IMAGE_STORE_URL and IMAGE_STORE_KEEPS",
    ),
    "bad_encoding": (HTTPStatus.BAD_REQUEST, "the encoding is not 128 finite numbers"),
    "http_status": (HTTPStatus.BAD_GATEWAY, "the URL answered with an error status"),
    "timeout": (HTTPStatus.BAD_GATEWAY, "the URL did not answer in time"),
    "tls": (HTTPStatus.BAD_GATEWAY, "the URL's certificate is not valid"),
    "too_many_redirects": (HTTPStatus.BAD_GATEWAY, "the URL redirects too often"),
    "unreachable": (HTTPStatus.BAD_GATEWAY, "the URL's host has no address or does not answer"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "Redis, RabbitMQ or the image store is unavailable"),
    "busy": (HTTPStatus.SERVICE_UNAVAILABLE, "too many requests of this kind are in progress"),
    "not_ready": (HTTPStatus.SERVICE_UNAVAILABLE, "Redis or RabbitMQ is unavailable (readiness probe)"),
    "no_worker": (HTTPStatus.SERVICE_UNAVAILABLE, "no worker answered the search in time"),
    "no_groups": (HTTPStatus.SERVICE_UNAVAILABLE, "the groups process did not answer in time"),
}
"""Status and meaning of every code."""

log = logging.getLogger(__name__)


class ProblemError(Exception):
    """A request that is answered with a problem document; `code` is one of `PROBLEMS`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error is answered with, by whatever protocol; `retry_after` is in seconds."""

    code: str
    detail: str
    status: int
    retry_after: int | None = None


def refusal(error: Exception, request_id: str) -> Refusal:
    """What to answer an error with; what only the operator may know of it is logged."""
    match error:
        case ProblemError() | Permanent():
            return _stated(error.code, str(error))
        case GroupsError():
            return _stated("no_groups", str(error))
        case Transient():
            log.warning("a request cannot be served now: %s", error, extra=about(request_id=request_id))
            detail = f"{public_reason(error)}; nothing was accepted, try again in {RETRY_AFTER} s"
            return _stated("unavailable", detail)
        case HTTPException():
            return _http(error)
        case _:
            log.error("a request failed", exc_info=error, extra=about(request_id=request_id))
            return _stated("internal", "the server failed; its log has the details under this request_id")


def install(app: Flask) -> None:
    """Answer every error of an application from here."""
    for kind in (ProblemError, Permanent, Transient, HTTPException, Exception):
        app.register_error_handler(kind, _answer)


def problem(refused: Refusal) -> Response:
    """The problem document for a refusal."""
    g.outcome = {"code": refused.code, "reason": refused.detail}
    document = {
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
        "request_id": g.request_id,
    }
    answer = Response(to_json(document) + "\n", refused.status, mimetype="application/problem+json")
    if refused.retry_after is not None:
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


def status_of(code: str) -> HTTPStatus:
    """The status that goes with a code."""
    return PROBLEMS.get(code, (HTTPStatus.BAD_REQUEST, ""))[0]


def unavailable(code: str, detail: str) -> Response:
    """The answer for a failure that may pass, with the time after which to try again."""
    return problem(_stated(code, detail))


def invalid_request(error: ValidationError) -> Response:
    """The answer for parameters or a body that the route's model does not accept."""
    found = invalid(error)
    return problem(_stated(found.code, str(found)))


def invalid(error: ValidationError) -> ProblemError:
    """The problem with parameters or a body that a model does not accept."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "the body"
    code = "bad_name" if first["type"] == "string_unicode" else "bad_request"
    return ProblemError(code, f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}")


def public_reason(error: Transient) -> str:
    """What a caller may know of a failure that may pass: the rest may name our hosts, ports and folders."""
    return str(error).partition(": ")[0]


def _answer(error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem(refusal(error, g.request_id))
    if error.response is not None:  # a finished answer, from `abort(response)`
        return error.response  # type: ignore[return-value]  # ours are all Flask's
    answer = problem(_http(error))
    for key, value in error.get_headers():
        if key.lower() in {"allow", "content-range", "location", "retry-after", "www-authenticate"}:
            answer.headers[key] = value
    return answer


def _stated(code: str, detail: str) -> Refusal:
    status = status_of(code)
    again = RETRY_AFTER if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Refusal(code, detail, int(status), again)


def _http(error: HTTPException) -> Refusal:
    detail = error.description or "the request cannot be answered"
    if isinstance(error, RequestEntityTooLarge):
        detail = "the body is larger than allowed here: send less at once, or raise MAX_PICTURE_BYTES"
    wait = error.retry_after if isinstance(error, TooManyRequests) else None
    again = wait if isinstance(wait, int) else None
    return Refusal(_code(error), detail, error.code or HTTPStatus.INTERNAL_SERVER_ERROR, again)


def _code(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        return "too_large"
    if isinstance(error, RequestedRangeNotSatisfiable):
        return "range_not_satisfiable"
    return HTTPStatus(error.code or 500).name.lower()
