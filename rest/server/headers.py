"""Headers of every answer: nothing here is a page, nothing is to be kept by caches or guessed at by browsers."""

from __future__ import annotations

from flask import Flask, Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def install(app: Flask) -> None:
    """Put the headers on every answer of an app."""
    app.after_request(_put)


def _put(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response
