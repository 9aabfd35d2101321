"""A consumer goes on when its queues are deleted."""

from __future__ import annotations

import queue
from collections import deque
from contextlib import closing

from pika.exceptions import ChannelClosedByBroker

from faces.config import Settings
from faces.messaging.amqp import Publisher, connect
from faces.messaging.topology import PICTURES_QUEUE, SEARCHES
from local.process import until
from tests.support.consuming import consuming
from worker.messages.delivery import WAKE, Delivery
from worker.messages.search_consumer import SearchConsumer


def test_messages_of_the_new_queues_arrive(settings: Settings) -> None:
    """The second queue goes just before a consumer may declare the first one again."""
    deliveries: queue.Queue[Delivery] = queue.Queue()
    searches: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
    to_delete: deque[str] = deque()

    def tick() -> None:
        if to_delete:
            with closing(connect(settings)) as connection:
                connection.channel().queue_delete(to_delete.popleft())

    with consuming(settings, deliveries, tick, searches=SearchConsumer(searches, deliveries)):
        assert until(lambda: consumed(settings), 60)
        to_delete.extend([PICTURES_QUEUE, SEARCHES])
        assert until(lambda: not to_delete and consumed(settings), 60)
        with closing(Publisher(settings)) as publisher:
            publisher.publish("", SEARCHES, {}, b"a search")
            assert searches.get(timeout=20).body == b"a search"
            publisher.publish("", PICTURES_QUEUE, {}, b"a picture")
            while (delivery := deliveries.get(timeout=20)) is WAKE:
                pass
            assert delivery.body == b"a picture"


def consumed(settings: Settings) -> bool:
    """Tell whether somebody consumes from both queues."""
    with closing(connect(settings)) as connection:
        channel = connection.channel()
        try:
            return all(
                channel.queue_declare(name, passive=True).method.consumer_count
                for name in (PICTURES_QUEUE, SEARCHES)
            )
        except ChannelClosedByBroker:
            return False
