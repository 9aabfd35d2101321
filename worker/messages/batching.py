"""Batches: whatever is waiting, up to the batch size; a redelivered picture is processed alone."""

from __future__ import annotations

import queue
from collections.abc import Sequence

from worker.messages.delivery import WAKE, Delivery

IDLE = 1.0  # seconds without a delivery after which an empty batch is returned


class Batcher:
    """Takes batches from the queue that the consumer fills. Belongs to the computing thread."""

    def __init__(self, deliveries: queue.Queue[Delivery], batch_size: int, idle: float = IDLE) -> None:
        self._deliveries = deliveries
        self._batch_size = batch_size
        self._idle = idle
        self._next: Delivery | None = None

    def take(self) -> Sequence[Delivery]:
        """Wait for a delivery and return it with those already behind it.

        Empty after `idle` seconds, or when a search is waiting. A redelivered message is returned alone: if its
        picture brings the worker down, no other suffers.
        """
        first = self._get(wait=True)
        if first is None or first.redelivered:
            return [first] if first else []
        batch = [first]
        while len(batch) < self._batch_size and (delivery := self._get(wait=False)):
            if delivery.redelivered:
                self._next = delivery
                break
            batch.append(delivery)
        return batch

    def _get(self, *, wait: bool) -> Delivery | None:
        delivery, self._next = self._next, None
        try:
            while delivery is None or not delivery.valid():
                delivery = self._deliveries.get(wait, self._idle)
                if delivery is WAKE:
                    return None
        except queue.Empty:
            return None
        return delivery
