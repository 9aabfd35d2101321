"""The Flask application, built from its parts."""

from __future__ import annotations

import time
from uuid import uuid4

from flask import Flask, Response, g, request

from faces.config import Settings
from faces.images import open_store
from faces.picture import Limits
from faces.progress import Progress
from faces.store.link import Link
from rest import problems
from rest.fetch import Fetcher
from rest.publishing import Publishers
from rest.scans import Scans
from rest.views import EXTENSION, NameConverter, Parts, routes


def build(settings: Settings) -> Flask:
    """Build the application with everything it works with, from the settings."""
    link = Link(settings)
    images = open_store(settings.image_store_url)
    limits = Limits.of(settings)
    scans = Scans(link, Publishers(settings), images, limits, longest_name=settings.max_name_length)
    fetcher = Fetcher(
        max_bytes=settings.max_picture_bytes,
        total_timeout=settings.fetch_timeout,
        connect_timeout=settings.fetch_connect_timeout,
        max_redirects=settings.fetch_redirects,
        allow=settings.fetch_allow,
    )
    progress = Progress(settings, "rest").start()
    return create_app(Parts(link, scans, fetcher, progress), max_bytes=settings.max_picture_bytes)


def create_app(parts: Parts, *, max_bytes: int) -> Flask:
    """Create the application on parts that are given to it."""
    app = Flask("facefleet", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.extensions[EXTENSION] = parts
    app.url_map.merge_slashes = False  # a name may have two slashes in a row
    app.url_map.converters["name"] = NameConverter
    app.register_blueprint(routes)
    problems.install(app)
    _log_requests(app, parts.progress)
    return app


def _log_requests(app: Flask, progress: Progress) -> None:
    @app.before_request
    def begin() -> None:
        g.request_id = uuid4().hex
        g.begun = time.monotonic()
        g.about, g.outcome = {}, {}

    @app.after_request
    def end(response: Response) -> Response:
        """Send one line for each call and its outcome; probes of the root only in detail."""
        say = progress.debug if request.path == "/" else progress.info
        say(
            f"{request.method} {request.path}"[:200],
            status=response.status_code,
            ms=round((time.monotonic() - g.begun) * 1000, 1),
            request_id=g.request_id,
            **{**g.about, **g.outcome},
        )
        return response
