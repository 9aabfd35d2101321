"""Errors -> problem documents (RFC 9457): always JSON, always with a stable `code`, never a traceback.

`PROBLEMS` lists every code; docs/api.md has the same table, and a test holds the two together.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, g
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable, RequestEntityTooLarge

from faces.documents import to_json
from faces.errors import GroupsError, Permanent, Transient
from faces.process_log import about

RETRY_AFTER = 5  # seconds; a broker that restarts is back by then

PROBLEMS: dict[str, tuple[HTTPStatus, str]] = {
    "bad_request": (HTTPStatus.BAD_REQUEST, "a parameter or the body is missing, unknown or invalid"),
    "bad_name": (HTTPStatus.BAD_REQUEST, "the name is empty, too long or not valid Unicode"),
    "bad_url": (HTTPStatus.BAD_REQUEST, "not an http or https URL"),
    "bad_cursor": (HTTPStatus.BAD_REQUEST, "the cursor is not one that this list gave out"),
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
    "busy": (HTTPStatus.SERVICE_UNAVAILABLE, "as many fetches, waits or uploads as allowed are under way"),
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


def install(app: Flask) -> None:
    """Answer every error of an application from here."""
    app.register_error_handler(ProblemError, _stated)
    app.register_error_handler(Permanent, _stated)
    app.register_error_handler(Transient, _transient)
    app.register_error_handler(GroupsError, lambda error: unavailable("no_groups", str(error)))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem(code: str, detail: str, status: int | None = None) -> Response:
    """The problem document for a code."""
    g.outcome = {"code": code, "reason": detail}
    status = status_of(code) if status is None else status
    document = {
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "request_id": g.request_id,
    }
    return Response(to_json(document) + "\n", status, mimetype="application/problem+json")


def status_of(code: str) -> HTTPStatus:
    """The status that goes with a code."""
    return PROBLEMS.get(code, (HTTPStatus.BAD_REQUEST, ""))[0]


def unavailable(code: str, detail: str) -> Response:
    """The answer for a failure that may pass, with the time after which to try again."""
    answer = problem(code, detail)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def invalid_request(error: ValidationError) -> Response:
    """The answer for parameters or a body that the route's model does not accept."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "the body"
    code = "bad_name" if first["type"] == "string_unicode" else "bad_request"
    return problem(code, f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}")


def public_reason(error: Transient) -> str:
    """What a caller may know of a failure that may pass: the rest may name our hosts, ports and folders."""
    return str(error).partition(": ")[0]


def _stated(error: ProblemError | Permanent) -> Response:
    if status_of(error.code) == HTTPStatus.SERVICE_UNAVAILABLE:
        return unavailable(error.code, str(error))
    return problem(error.code, str(error))


def _transient(error: Transient) -> Response:
    log.warning("a request cannot be served now: %s", error, extra=about(request_id=g.request_id))
    detail = f"{public_reason(error)}; nothing was accepted, try again in {RETRY_AFTER} s"
    return unavailable("unavailable", detail)


def _http(error: HTTPException) -> Response:
    if error.response is not None:  # a finished answer, from `abort(response)`
        return error.response  # type: ignore[return-value]  # ours are all Flask's
    detail = error.description or "the request cannot be answered"
    if isinstance(error, RequestEntityTooLarge):
        detail = "the body is larger than allowed here: send less at once, or raise MAX_PICTURE_BYTES"
    answer = problem(_code(error), detail, error.code or 500)
    for key, value in error.get_headers():
        if key.lower() in {"allow", "content-range", "location", "retry-after", "www-authenticate"}:
            answer.headers[key] = value
    return answer


def _unexpected(error: Exception) -> Response:
    log.error("a request failed", exc_info=error, extra=about(request_id=g.request_id))
    return problem("internal", "the server failed; its log has the details under this request_id")


def _code(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        return "too_large"
    if isinstance(error, RequestedRangeNotSatisfiable):
        return "range_not_satisfiable"
    return HTTPStatus(error.code or 500).name.lower()
