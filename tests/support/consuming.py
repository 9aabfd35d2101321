"""A worker's consumer, without the computing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from faces.config import Settings
from worker.messages.consumer import Consumer
from worker.messages.delivery import Delivery


@contextmanager
def consuming(
    settings: Settings,
    deliveries: queue.Queue[Delivery],
    tick: Callable[[], None] = lambda: None,
    **options: Any,
) -> Iterator[None]:
    """Consume on a thread of its own; `options` are the Consumer's."""
    stopping, finished = threading.Event(), threading.Event()
    computing = threading.Thread(target=finished.wait)
    computing.start()
    consumer = Consumer(settings, deliveries, stopping, **options)
    thread = threading.Thread(target=consumer.run, args=(computing, tick))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        finished.set()
        thread.join()
