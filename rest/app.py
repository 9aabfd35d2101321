"""The Flask application, built from its parts."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, cast
from uuid import uuid4

from flask import Flask, Request, Response, g, request

from faces.config import Settings
from faces.formats.limits import Limits
from faces.image_store.pictures import ImageStore, open_image_store
from faces.image_store.videos import open_video_store
from faces.messaging.event_log import EventLog, without_secrets
from faces.messaging.queue_scan import remove_messages_of
from faces.process.health import serve
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.ingest import Ingest
from faces.usecases.videos import VideoEraser, VideoIngest
from rest import problems, requests, spellings
from rest.auth.authenticator import Authenticator
from rest.auth.origins import Origins
from rest.auth.scopes import is_public
from rest.bounds import Bound, Bounds
from rest.contract import NameConverter, contract
from rest.docs import docs
from rest.events.deliverer import TIMEOUT, Deliverer
from rest.events.follower import Follower
from rest.events.hub import Hub
from rest.events.waiting import Waiting
from rest.fetching.fetcher import Fetcher
from rest.health import accepting, health, probed
from rest.metrics.fleet import Fleet
from rest.metrics.rates import Rates
from rest.metrics.server import Metrics
from rest.openapi import Api
from rest.page.files import files
from rest.page.screens import screens
from rest.page.sessions import sessions
from rest.parts import EXTENSION, Parts, Videos
from rest.publishing import PublisherPool
from rest.rendering.drawn_cache import DrawnCache
from rest.searching import Searching
from rest.server import headers
from rest.sweeping import Sweeper
from rest.v1.nouns import NOUNS


def build(settings: Settings) -> Flask:
    """Build the application and its parts from the settings."""
    redis, metrics = RedisClient(settings), Metrics()
    metrics.registry.register(Fleet(redis))
    image_store = open_image_store(settings.image_store_url)
    limits = Limits.of(settings)
    audit_log = AuditLog(redis, settings.audit_length)
    publishers = PublisherPool(settings, metrics)
    originals = image_store if settings.keeps_originals else None
    ingest = Ingest(redis, publishers.publish_all, originals, limits, audit_log)
    bounds = Bounds.of(settings)
    fetcher = Fetcher(
        admitted=Bound(bounds.fetches, "fetches").held,
        max_bytes=settings.largest_picture,
        total_timeout=settings.fetch_timeout,
        allow=settings.fetch_allow,
    )
    event_log = EventLog(settings, "rest").start()
    authenticator = Authenticator.of(settings, redis)
    follower = Follower(redis).start()
    waiting = Waiting(redis, follower, Bound(bounds.waits, "waiting requests"))
    hook_sender = Fetcher(max_bytes=0, total_timeout=TIMEOUT, allow=settings.fetch_allow)
    parts = Parts(
        settings,
        redis,
        ingest,
        publishers,
        fetcher,
        event_log,
        audit_log,
        image_store,
        metrics,
        waiting,
        Rates(redis).start(),
        follower,
        Hub(redis, follower).start(),
        hook_sender,
        Deliverer(redis, follower, hook_sender.post).start(),
        Searching(settings, Bound(bounds.searches, "searches")),
        Bound(bounds.statements, "statements about people"),
        Bound(bounds.erasures, "erasures"),
        Bound(bounds.looks, "looks at RabbitMQ's queues"),
        partial(remove_messages_of, settings),
        DrawnCache().start(follower),
        None if image_store is None else Sweeper(redis, image_store).start(),
        _videos(settings, redis, publishers, image_store, audit_log),
    )
    serve(
        metrics.registry,
        settings.metrics_port,
        healthz=lambda: accepting(settings.rest_host, settings.rest_port),
        readyz=lambda: probed(redis, publishers),
    )
    return create_app(
        parts,
        max_bytes=settings.largest_picture,
        authenticator=authenticator,
        origins=Origins(settings.cors_origins, local=authenticator is None and settings.api_keys == "auto"),
    )


def _videos(
    settings: Settings,
    redis: RedisClient,
    publishers: PublisherPool,
    image_store: ImageStore | None,
    audit_log: AuditLog,
) -> Videos | None:
    video_store = open_video_store(settings.image_store_url)
    if image_store is None or video_store is None or not settings.keeps_originals:
        return None
    remove_messages = partial(remove_messages_of, settings)
    return Videos(
        VideoIngest(redis, publishers.publish_video, video_store, settings.max_video_bytes, audit_log),
        VideoEraser(redis, image_store, video_store, audit_log, remove_messages),
    )


def create_app(
    parts: Parts,
    *,
    max_bytes: int,
    authenticator: Authenticator | None = None,
    origins: Origins | None = None,
) -> Flask:
    """Create the application on the parts given; without an authenticator it needs no keys."""
    app = routed()
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.extensions[EXTENSION] = parts
    problems.install(app)
    _tell_of_requests(app, parts.event_log, parts.metrics)
    requests.install(app)
    app.wsgi_app = headers.installed(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation shows
    (origins or Origins()).install(app)
    if authenticator is not None:
        authenticator.install(app)
    return app


def routed() -> Api:
    """Create an application that has every route and nothing to answer with: enough to describe itself."""
    app = Api()
    app.url_map.merge_slashes = False  # a name may have two slashes in a row
    app.url_map.converters["name"] = NameConverter
    for routes in (contract, *NOUNS, health, docs, screens, files, sessions):
        app.register_api(routes)
    spellings.install(app)
    return app


def _asked() -> Request:
    """The request itself: what stands for it looks for it at each use."""
    asked: Request = cast("Any", request)._get_current_object()
    return asked


def _tell_of_requests(app: Flask, event_log: EventLog, metrics: Metrics) -> None:
    @app.before_request
    def begin() -> None:
        of = g._get_current_object()
        of.request_id = uuid4().hex
        of.begun = time.monotonic()
        of.key = ""
        of.about, of.outcome = {}, {}

    @app.after_request
    def end(response: Response) -> Response:
        """Count each call, and send one line for it and its outcome; probes only in detail."""
        asked, of = _asked(), g._get_current_object()
        seconds = time.monotonic() - of.begun
        rule = asked.url_rule
        metrics.request(rule.rule if rule else None, asked.method, response.status_code, seconds)
        say = event_log.debug if is_public(app, asked.endpoint) else event_log.info
        say(
            f"{asked.method} {without_secrets(asked.path)}"[:200],
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            request_id=of.request_id,
            **({"key": of.key} if of.key else {}),
            **{**of.about, **of.outcome},
        )
        return response
