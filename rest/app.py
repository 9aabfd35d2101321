"""The Flask application, built from its parts."""

from __future__ import annotations

import time
from uuid import uuid4

from flask import Flask, Response, g, request

from faces.config import Settings
from faces.images import open_store
from faces.metrics import serve
from faces.picture import Limits
from faces.progress import Progress
from faces.store.link import Link
from faces.store.trail import Trail
from rest import headers, problems
from rest.fetch import Fetcher
from rest.fleet import Fleet
from rest.guard import PUBLIC, Guard
from rest.health import health
from rest.metrics import Metrics
from rest.origins import Origins
from rest.publishing import Publishers
from rest.scans import Scans
from rest.views import EXTENSION, NameConverter, Parts, routes


def build(settings: Settings) -> Flask:
    """Build the application with everything it works with, from the settings."""
    link, metrics = Link(settings), Metrics()
    metrics.registry.register(Fleet(link))
    serve(metrics.registry, settings.metrics_port)
    images = open_store(settings.image_store_url)
    limits = Limits.of(settings)
    trail = Trail(link, settings.audit_length)
    publishers = Publishers(settings, metrics)
    scans = Scans(link, publishers, images, limits, trail, longest_name=settings.max_name_length)
    fetcher = Fetcher(
        max_bytes=settings.max_picture_bytes,
        total_timeout=settings.fetch_timeout,
        connect_timeout=settings.fetch_connect_timeout,
        max_redirects=settings.fetch_redirects,
        allow=settings.fetch_allow,
    )
    progress = Progress(settings, "rest").start()
    guard = Guard.of(settings, link)
    return create_app(
        Parts(link, scans, fetcher, progress, trail, images, metrics),
        max_bytes=settings.max_picture_bytes,
        guard=guard,
        origins=Origins(settings.cors_origins, local=guard is None and settings.api_keys == "auto"),
    )


def create_app(
    parts: Parts, *, max_bytes: int, guard: Guard | None = None, origins: Origins | None = None
) -> Flask:
    """Create the application on parts that are given to it; without a guard it needs no keys."""
    app = Flask("facefleet", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.extensions[EXTENSION] = parts
    app.url_map.merge_slashes = False  # a name may have two slashes in a row
    app.url_map.converters["name"] = NameConverter
    app.register_blueprint(routes)
    app.register_blueprint(health)
    problems.install(app)
    _tell_of_requests(app, parts.progress, parts.metrics)
    headers.install(app)
    (origins or Origins()).install(app)
    if guard is not None:
        guard.install(app)
    return app


def _tell_of_requests(app: Flask, progress: Progress, metrics: Metrics) -> None:
    @app.before_request
    def begin() -> None:
        g.request_id = uuid4().hex
        g.begun = time.monotonic()
        g.key = ""
        g.about, g.outcome = {}, {}

    @app.after_request
    def end(response: Response) -> Response:
        """Count each call, and send one line for it and its outcome; probes only in detail."""
        seconds = time.monotonic() - g.begun
        route = request.url_rule.rule if request.url_rule else None
        metrics.request(route, request.method, response.status_code, seconds)
        say = progress.debug if request.endpoint in PUBLIC else progress.info
        say(
            f"{request.method} {request.path}"[:200],
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            request_id=g.request_id,
            **({"key": g.key} if g.key else {}),
            **{**g.about, **g.outcome},
        )
        return response
