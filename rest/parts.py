"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from faces.config import Settings
from faces.image_store.pictures import ImageStore
from faces.messaging.event_log import EventLog
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.erase import RemoveMessages
from faces.usecases.ingest import Ingest
from faces.usecases.videos import VideoEraser, VideoIngest
from rest.bounds import Bound
from rest.events.deliverer import Deliverer
from rest.events.follower import Follower
from rest.events.hub import Hub
from rest.events.waiting import Waiting
from rest.fetching.fetcher import Fetcher
from rest.metrics.rates import Rates
from rest.metrics.server import Metrics
from rest.publishing import PublisherPool
from rest.rendering.drawn_cache import DrawnCache
from rest.searching import Searching
from rest.sweeping import Sweeper

EXTENSION = "facefleet"


@dataclass(frozen=True)
class Videos:
    """What the routes of videos work with, where originals are kept."""

    ingest: VideoIngest
    eraser: VideoEraser


@dataclass(frozen=True)
class Parts:
    """What the routes work with."""

    settings: Settings
    redis: RedisClient
    ingest: Ingest
    publishers: PublisherPool
    fetcher: Fetcher
    event_log: EventLog
    audit_log: AuditLog
    image_store: ImageStore | None
    metrics: Metrics
    waiting: Waiting
    rates: Rates
    follower: Follower
    hub: Hub
    hook_sender: Fetcher
    deliverer: Deliverer
    searching: Searching
    statements: Bound
    erasures: Bound
    looks: Bound
    remove_messages: RemoveMessages
    drawn: DrawnCache
    sweeper: Sweeper | None
    videos: Videos | None

    def checks(self) -> dict[str, Callable[[], None]]:
        """What must be available to accept pictures: each raises Transient where it is not."""
        return {"Redis": self.redis.check, "RabbitMQ": self.publishers.check}

    def close(self) -> None:
        """Close the connections to Redis and RabbitMQ."""
        self.rates.close()
        self.searching.close()
        self.deliverer.close()
        self.drawn.close()
        if self.sweeper is not None:
            self.sweeper.close()
        self.hub.close()
        self.follower.close()
        self.publishers.close()
        self.event_log.close()
        self.redis.close()


def parts() -> Parts:
    """The parts of the application that handles this request."""
    found: Parts = current_app.extensions[EXTENSION]
    return found
