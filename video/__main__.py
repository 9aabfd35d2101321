"""`python -m video`: the video process. Several share the work, each video being one's at a time."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError, MessageError, Transient
from faces.formats.limits import Limits as PictureLimits
from faces.image_store.pictures import ImageStore
from faces.image_store.videos import VideoStore
from faces.messaging.amqp import Publisher, connect, translated
from faces.messaging.event_log import EventLog
from faces.messaging.message import Message, decode, encode
from faces.messaging.queue_scan import remove_messages_of
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE, VIDEOS, declare
from faces.process.health import serve
from faces.process.until_stopped import until_stopped
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.ingest import Ingest
from faces.usecases.publication import one_by_one
from faces.usecases.videos import VideoEraser
from video.extraction import Limits, check_installed
from video.job import Jobs
from video.metrics import Metrics
from video.vitals import Vitals

LOOK = 0.5  # seconds between looks at whether to stop
RECONNECT = 1.0  # seconds before a lost connection is opened again

log = logging.getLogger("video")


def main() -> int:
    """Run until SIGTERM or SIGINT; the current video resumes later where it is.

    Returns:
        The exit code: 0 after a stop, 2 if a setting cannot be used.
    """
    return until_stopped("video", run)


def run(settings: Settings, stopping: threading.Event) -> None:
    """Extract videos until told to stop.

    Raises:
        SettingError: a setting cannot be used.
    """
    metrics, vitals = Metrics(), Vitals()
    serve(metrics.registry, settings.metrics_port, healthz=vitals.healthz, readyz=vitals.readyz)
    if not settings.keeps_originals:
        log.info("no originals are kept (IMAGE_STORE_URL), so the server accepts no videos: nothing to do")
        while not stopping.wait(LOOK):
            vitals.beat(ready=True)
        return
    with (
        closing(RedisClient(settings)) as redis,
        closing(Publisher(settings)) as publisher,
        closing(EventLog(settings, "video").start()) as event_log,
    ):
        jobs = build(
            settings,
            redis=redis,
            publisher=publisher,
            event_log=event_log,
            metrics=metrics,
            stopping=stopping,
        )
        while not stopping.is_set():
            try:
                consume(settings, jobs, publisher, vitals, stopping)
            except BrokerError as error:
                log.warning("reconnecting to RabbitMQ: %s", error)
                vitals.beat(ready=False)
                stopping.wait(RECONNECT)
            except Transient as error:
                log.warning("stopping; the video remains queued: %s", error)


def build(
    settings: Settings,
    *,
    redis: RedisClient,
    publisher: Publisher,
    event_log: EventLog,
    metrics: Metrics,
    stopping: threading.Event,
) -> Jobs:
    """Build what extracts videos from its parts.

    Raises:
        SettingError: a setting cannot be used.
    """
    check_installed()
    images, video_store = ImageStore(settings.image_store_url), VideoStore(settings.image_store_url)
    audit_log = AuditLog(redis, settings.audit_length)
    return Jobs(
        redis=redis,
        ingest=Ingest(
            redis,
            one_by_one(partial(publish_picture, publisher)),
            images,
            PictureLimits.of(settings),
            audit_log,
        ),
        video_store=video_store,
        eraser=VideoEraser(redis, images, video_store, audit_log, partial(remove_messages_of, settings)),
        limits=Limits.of(settings),
        event_log=event_log,
        metrics=metrics,
        stopping=stopping,
    )


def publish_picture(publisher: Publisher, message: Message) -> None:
    """Publish a frame as any picture is."""
    publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))


def consume(
    settings: Settings, jobs: Jobs, publisher: Publisher, vitals: Vitals, stopping: threading.Event
) -> None:
    """Take videos from the queue until told to stop. A message is acknowledged when its job is over.

    Raises:
        BrokerError: the connection to RabbitMQ is lost; the current video comes again.
        Transient: a service is unavailable, and the process is stopping.
    """
    with closing(connect(settings)) as connection:
        with translated():
            channel = connection.channel()
            declare(channel, settings)
            channel.basic_qos(prefetch_count=1)
            deliveries = channel.consume(VIDEOS, inactivity_timeout=LOOK)

        def tick() -> None:
            vitals.beat(ready=True)
            with translated():
                connection.process_data_events(0)

        while not stopping.is_set():
            vitals.beat(ready=True)
            with translated():
                delivery = next(deliveries, None)
            if delivery is None:  # RabbitMQ has cancelled the consumer
                raise BrokerError("the queue was deleted")
            method, properties, body = delivery
            if method is None:
                continue
            if not _done(jobs, publisher, properties, body, tick):
                return  # stopping: the message goes back to the queue with the connection
            with translated():
                channel.basic_ack(method.delivery_tag)


def _done(jobs: Jobs, publisher: Publisher, properties: Any, body: bytes, tick: Callable[[], None]) -> bool:
    """Do the job of a message; False if its message is still needed."""
    try:
        message = decode(properties.headers, body)
    except MessageError as error:
        log.warning("dropped a foreign message: %s", error)
        return True
    if jobs.run(message.picture_id, tick):
        return True
    if jobs.stopping.is_set():
        return False
    publisher.publish("", VIDEOS, *encode(message))  # others have their turn
    return True


if __name__ == "__main__":
    sys.exit(main())
