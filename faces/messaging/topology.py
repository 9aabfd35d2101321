"""Exchanges, queues, dead letters and the retry ladder, declared here alone.

    rest --picture--> toWorker (direct) --> pictures --> workers
                          ^                     |
                          | after its delay     | transient         | permanent
                          +---- pictures.retry.N s <---- worker ----+--> pictures.dead --> pictures.dead

    rest --picture to search by--> searches --> workers --answer--> amq.rabbitmq.reply-to --> rest

    rest --reference to a video--> videos --> video processes --its frames--> toWorker

Searches wait for nobody's pictures: workers take them between two groups of at most four pictures. They are worth
nothing after a few seconds, so their queue forgets them then. Every queue is a quorum queue: while a node is down,
the others still have it. It rejects what it cannot hold (`reject-publish`), so that the publisher hears of it, and
dead-letters at least once. `logs` is a topic exchange and not durable: existing tailers declare it so.
"""

from __future__ import annotations

import logging
from typing import Any

from faces.config import Settings

PICTURES_EXCHANGE = "toWorker"
PICTURES_QUEUE = "pictures"
PICTURE_KEY = "picture"
DEAD = "pictures.dead"
LOGS_EXCHANGE = "logs"
SEARCHES = "searches"
VIDEOS = "videos"
SCAN = "pictures.scan"
SEARCHES_WAITING = 100  # more than workers answer before their senders give up
SEARCH_SECONDS = 5  # for a search to be answered

RETRY_DELAYS = (1, 5, 30, 120, 600)  # seconds; the last one repeats until the policy gives up
FORMER_RETRY_DELAYS: tuple[int, ...] = ()  # of earlier releases, whose pictures may wait there in an upgrade
READS_OF_A_DEAD_LETTER = 1_000_000_000  # RabbitMQ 4 drops what was delivered 20 times if no limit is set
DELIVERY_LIMIT = 100  # a backstop: the worker's own count of attempts ends sooner
PRECONDITION_FAILED, RESOURCE_LOCKED = 406, 405  # AMQP's reply codes

log = logging.getLogger(__name__)


def retry_queue(delay: int) -> str:
    """Name of the queue in which a picture waits for `delay` seconds."""
    return f"pictures.retry.{delay}s"


def rungs() -> dict[str, int]:
    """The queues of the retry ladder, with their delays: this release's, and those of earlier ones."""
    return {retry_queue(delay): delay for delay in (*RETRY_DELAYS, *FORMER_RETRY_DELAYS)}


def declare(channel: Any, settings: Settings) -> None:
    """Declare everything; a second declaration changes nothing.

    A queue that exists with other arguments, because the limits or delays were changed since, is used as it is.
    """
    declare_logs(channel)
    channel.exchange_declare(PICTURES_EXCHANGE, exchange_type="direct", durable=True)
    channel.exchange_declare(DEAD, exchange_type="fanout", durable=True)
    for name, arguments in _queues(settings).items():
        _declare_queue(channel.connection, name, arguments)
    channel.queue_bind(DEAD, DEAD)
    channel.queue_bind(PICTURES_QUEUE, PICTURES_EXCHANGE, PICTURE_KEY)


def declare_logs(channel: Any) -> None:
    """Declare the exchange of the log lines."""
    channel.exchange_declare(LOGS_EXCHANGE, exchange_type="topic", durable=False)


def lock_scans(connection: Any) -> bool:
    """Take the lock of those who look through queues, until the connection ends; False while another has it.

    It is an empty queue, which RabbitMQ keeps for one connection and deletes with it, whatever ends that.
    """
    channel = connection.channel()  # of its own, because RabbitMQ closes it if another has the lock
    try:
        channel.queue_declare(SCAN, exclusive=True, arguments={"x-queue-type": "classic"})
        channel.close()
    except Exception as error:  # pika's own are named in faces.messaging.amqp alone
        if getattr(error, "reply_code", None) != RESOURCE_LOCKED:
            raise
        return False
    return True


def _queues(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every queue with its arguments."""
    return {
        DEAD: {"x-delivery-limit": READS_OF_A_DEAD_LETTER},
        PICTURES_QUEUE: {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-strategy": "at-least-once",
            "x-max-length": settings.queue_max_length,
            "x-max-length-bytes": settings.queue_max_bytes,
        },
        SEARCHES: {"x-message-ttl": SEARCH_SECONDS * 1000, "x-max-length": SEARCHES_WAITING},
        VIDEOS: {"x-delivery-limit": READS_OF_A_DEAD_LETTER},  # the video's own count of starts ends sooner
        **{rung: _retry_arguments(delay) for rung, delay in rungs().items()},
    }


def _retry_arguments(delay: int) -> dict[str, Any]:
    return {
        "x-message-ttl": delay * 1000,
        "x-dead-letter-exchange": PICTURES_EXCHANGE,
        "x-dead-letter-routing-key": PICTURE_KEY,
        "x-dead-letter-strategy": "at-least-once",
    }


def _declare_queue(connection: Any, name: str, arguments: dict[str, Any]) -> None:
    """Declare a queue on a channel of its own, because RabbitMQ closes the channel if the arguments differ."""
    quorum = {"x-queue-type": "quorum", "x-overflow": "reject-publish"}
    channel = connection.channel()
    try:
        channel.queue_declare(name, durable=True, arguments=quorum | arguments)
        channel.close()
    except Exception as error:  # pika's own are named in faces.messaging.amqp alone
        if getattr(error, "reply_code", None) != PRECONDITION_FAILED:
            raise
        log.warning("queue %s keeps its limits, which differ from the settings: %s", name, error)
