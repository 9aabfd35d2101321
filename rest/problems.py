"""Errors -> answers: always JSON, always with a sensible status, never a traceback.

The body is a problem document (RFC 9457) with a stable `code` for programs and `detail` for people.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from faces.documents import to_json
from faces.errors import FetchError, Permanent, PictureError, PictureNameError, Transient
from faces.process_log import about

RETRY_AFTER = 5  # seconds; a broker that restarts is back by then

STATUS_OF = {
    "empty": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_pixels": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_a_picture": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "format_not_allowed": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "bad_url": HTTPStatus.BAD_REQUEST,
    "address_not_allowed": HTTPStatus.FORBIDDEN,
}
STATUS_OF_BRANCH = {
    PictureError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PictureNameError: HTTPStatus.BAD_REQUEST,
    FetchError: HTTPStatus.BAD_GATEWAY,
}

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Have every error of an app answered from here."""
    app.register_error_handler(Permanent, _permanent)
    app.register_error_handler(Transient, _transient)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, code: str, detail: str) -> Response:
    """The answer for an error."""
    g.outcome = {"code": code, "reason": detail}
    title = HTTPStatus(status).phrase
    document = {
        "title": title,
        "status": int(status),
        "code": code,
        "detail": detail,
        "request_id": g.request_id,
    }
    return Response(to_json(document) + "\n", status, mimetype="application/problem+json")


def unavailable(code: str, detail: str) -> Response:
    """The answer for what may pass, with the time after which to try again."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, code, detail)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _permanent(error: Permanent) -> Response:
    branch = STATUS_OF_BRANCH.get(type(error), HTTPStatus.BAD_REQUEST)
    return problem(STATUS_OF.get(error.code, branch), error.code, str(error))


def _transient(error: Transient) -> Response:
    log.warning("a request cannot be served now: %s", error, extra=about(request_id=g.request_id))
    what, _, _ = str(error).partition(": ")  # the rest may name hosts, ports and folders of ours
    return unavailable("unavailable", f"{what}; nothing was accepted, try again in {RETRY_AFTER} s")


def _http(error: HTTPException) -> Response:
    detail = error.description or "the request cannot be answered"
    if isinstance(error, RequestEntityTooLarge):
        detail = (
            "the body is larger than a picture may be: make the picture smaller, or raise MAX_PICTURE_BYTES"
        )
    answer = problem(error.code or 500, _code(error), detail)
    for key, value in error.get_headers():
        if key.lower() in {"allow", "location", "retry-after", "www-authenticate"}:
            answer.headers[key] = value
    return answer


def _unexpected(error: Exception) -> Response:
    log.error("a request failed", exc_info=error, extra=about(request_id=g.request_id))
    detail = "the server has failed on this request; its log tells more under this request_id"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def _code(error: HTTPException) -> str:
    return (
        "too_large"
        if isinstance(error, RequestEntityTooLarge)
        else HTTPStatus(error.code or 500).name.lower()
    )
