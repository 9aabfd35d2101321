"""The page's own files: style sheets, modules, icon."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request
from werkzeug.exceptions import NotFound

from rest.auth.scopes import PUBLIC
from rest.openapi import Parameters, Routes

files = Routes("files")

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
VERSION_PATH = "/page/"
FOR_GOOD = "public, max-age=31536000, immutable"


class FilePath(Parameters):
    """The file that is asked for, in a release's version."""

    version: str
    name: str


@files.operation("GET", VERSION_PATH + "<version>/<path:name>", scope=PUBLIC, answers={}, hidden=True)
def file(path: FilePath) -> Response:
    """One of the files. Under the version that pages name now it never changes."""
    data = contents().get(path.name)
    if data is None:
        raise NotFound("no such file")
    response = Response(data, mimetype=KINDS[Path(path.name).suffix])
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip"):
        response.set_data(compressed(path.name))
        response.content_encoding = "gzip"
    response.headers["Cache-Control"] = FOR_GOOD if path.version == version() else "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def contents() -> dict[str, bytes]:
    """Every file by its folder and name, as in `parts/api.js`."""
    found = (path for path in sorted(FOLDER.glob("*/*")) if path.suffix in KINDS)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def compressed(name: str) -> bytes:
    """A file, compressed once."""
    return gzip.compress(contents()[name], mtime=0)


@cache
def version() -> str:
    """A digest of all files."""
    digest = hashlib.sha256()
    for name, data in contents().items():
        digest.update(name.encode() + b"\0" + data)
    return digest.hexdigest()[:12]
