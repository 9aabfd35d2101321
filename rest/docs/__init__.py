"""The page at `/docs`: the description of all routes for people, made in the browser from `/openapi.json`."""

from __future__ import annotations

from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound

from rest.auth.scopes import PUBLIC
from rest.openapi import Parameters, Routes

docs = Routes("docs")

FOLDER = Path(__file__).parent
KINDS = {"docs.js": "text/javascript", "docs.css": "text/css"}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class FilePath(Parameters):
    """The file that is asked for."""

    name: str


@docs.operation("GET", "/docs", scope=PUBLIC, answers={}, hidden=True)
def page() -> Response:
    """The page."""
    return _file("docs.html", "text/html")


@docs.operation("GET", "/docs/<name>", scope=PUBLIC, answers={}, hidden=True)
def file(path: FilePath) -> Response:
    """One of the page's own files."""
    if path.name not in KINDS:
        raise NotFound("no such file")
    return _file(path.name, KINDS[path.name])


def _file(name: str, kind: str) -> Response:
    response = Response((FOLDER / name).read_text(), mimetype=kind)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response
