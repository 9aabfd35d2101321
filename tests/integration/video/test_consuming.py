"""Taking videos from the queue."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import cast

import pytest

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher, connect
from faces.messaging.topology import VIDEOS
from video.__main__ import consume
from video.job import Jobs
from video.vitals import Vitals


class DeletesTheQueue:
    """Vitals of a process whose queue is deleted once it consumes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.beats = 0

    def beat(self, *, ready: bool) -> None:
        assert ready
        self.beats += 1
        if self.beats == 2:
            with closing(connect(self.settings)) as connection:
                connection.channel().queue_delete(VIDEOS)


def test_a_deleted_queue_ends_the_connection(settings: Settings) -> None:
    vitals = DeletesTheQueue(settings)
    with closing(Publisher(settings)) as publisher, pytest.raises(BrokerError, match="deleted"):
        consume(settings, cast(Jobs, None), publisher, cast(Vitals, vitals), threading.Event())
