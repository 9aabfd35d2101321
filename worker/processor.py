"""The computing thread: takes deliveries in batches, has them done, and settles each with the broker."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faces.amqp import Publisher
from faces.errors import FacefleetError, MessageError, MismatchError, PoisonError, Transient
from faces.event_log import EventLog
from faces.message import Message, decode, encode
from faces.store.attempts import begin, excuse, forget
from faces.store.client import RedisClient
from faces.store.commit import Outcome, fail
from faces.topology import DEAD, retry_queue
from worker.consumer import Delivery
from worker.health.memory import Memory
from worker.job import Jobs, Result
from worker.metrics import Metrics
from worker.retrier import Retrier
from worker.retry import MOST_STARTS, DeadLetter, Fail, RetryAfter, decide

MOST_HEADERS = 100_000  # bytes of a dead letter's headers; RabbitMQ's frame holds 131,072
LARGEST = 1 << 63  # integers in headers have 64 bits; floats are read as integers of any size
IDLE = 1.0  # seconds without a picture after which the journal is followed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A delivery and the message in it."""

    delivery: Delivery
    message: Message


@dataclass(kw_only=True, eq=False)
class BatchProcessor:
    """Does what comes in, until told to stop; then finishes what is begun and leaves the rest queued."""

    deliveries: queue.Queue[Delivery]
    jobs: Jobs
    redis: RedisClient
    publisher: Publisher
    event_log: EventLog
    retrier: Retrier
    stopping: threading.Event
    batch_size: int
    metrics: Metrics
    memory: Memory
    _fault: Exception | None = field(default=None, init=False)
    _next: Delivery | None = field(default=None, init=False)
    _computing: Sequence[str] = field(default=(), init=False)

    def run(self) -> None:
        """Work until told to stop, or until the memory is outgrown."""
        try:
            while not self.stopping.is_set() and not self.memory.outgrown():
                self._work_once()
        except Exception as error:  # noqa: BLE001 -- the main thread raises it; what is in hand is begun again
            self._fault = error
            if isinstance(error, MismatchError):
                self.excuse_pictures()
        self.publisher.close()

    def raise_fault(self) -> None:
        """Raise what has ended the work before it was told to stop.

        Raises:
            MismatchError: the data is made with another model or tolerance since.
        """
        if self._fault is not None:
            raise self._fault

    def excuse_pictures(self) -> None:
        """Say that what is in hand goes to other workers through no fault of its own; any thread may.

        The connection to RabbitMQ was lost, or this worker has to be started anew.
        """
        computing, self._computing = self._computing, ()  # once: when the next is lost, it is in other hands
        try:
            for picture_id in computing:
                excuse(self.redis, picture_id)
        except Transient as error:
            log.warning("pictures in hand may be blamed for what they have not done: %s", error)

    def _work_once(self) -> None:
        try:
            self._work(self._take())
        except Transient as error:  # only once told to stop: until then they are waited for
            log.warning("leaving pictures queued: %s", error)

    def _work(self, batch: Sequence[Delivery]) -> None:
        if not batch:
            self.retrier.until_done(self.jobs.follow)
            return
        in_hand = [held for delivery in batch if (held := self._read(delivery))]
        if batch[0].redelivered:
            in_hand = [held for held in in_hand if self._may_begin_again(held)]
        for held in in_hand:
            self.event_log.debug("taken", **_about(held.message))
        self.metrics.batch(len(in_hand), sum(held.delivery.redelivered for held in in_hand))
        self._computing = [held.message.picture_id for held in in_hand]
        results = self.jobs.run([held.message for held in in_hand])
        for held in in_hand:
            self._settle(held, results[held.message.picture_id])
        self._computing = ()

    def _take(self) -> Sequence[Delivery]:
        """Whatever waits, up to the batch size, without waiting for more; a redelivered picture alone."""
        first = self._get(wait=True)
        if first is None or first.redelivered:
            return [first] if first else []
        batch = [first]
        while len(batch) < self.batch_size and (delivery := self._get(wait=False)):
            if delivery.redelivered:
                self._next = delivery
                break
            batch.append(delivery)
        return batch

    def _get(self, *, wait: bool) -> Delivery | None:
        delivery, self._next = self._next, None
        try:
            while delivery is None or not delivery.valid():
                delivery = self.deliveries.get(wait, IDLE)
        except queue.Empty:
            return None
        return delivery

    def _read(self, delivery: Delivery) -> PendingMessage | None:
        try:
            return PendingMessage(delivery, decode(delivery.headers, delivery.body))
        except MessageError as error:
            self._bury(delivery, error)
            return None

    def _may_begin_again(self, held: PendingMessage) -> bool:
        """Count a start that follows a worker's end; a picture that ends workers is not begun for ever."""
        picture_id = held.message.picture_id
        if self.retrier.until_done(lambda: begin(self.redis, picture_id)) <= MOST_STARTS:
            return True
        reason = (
            f"the worker died or ran out of time with it each of the {MOST_STARTS} times it was begun again"
        )
        self._settle(held, Result(error=PoisonError(reason)))
        return False

    def _settle(self, held: PendingMessage, result: Result) -> None:
        """Tell the world what became of a picture, then acknowledge it."""
        message = held.message
        if result.error is not None:
            self._settle_error(held, result.error)
            return
        if result.outcome is Outcome.DONE:
            self.metrics.picture("done", result.faces)
            seconds = round(result.seconds, 3)
            self.event_log.info(
                "done", **_about(message), faces=result.faces, matches=result.matches, seconds=seconds
            )
        elif result.outcome is not None:
            self._skip(held, result.outcome)
        held.delivery.acknowledge()

    def _skip(self, held: PendingMessage, outcome: Outcome) -> None:
        """Say that a picture needs nothing more; what was counted when it was begun again is not kept."""
        self.event_log.debug("skipped", **_about(held.message), reason=outcome.value)
        if held.delivery.redelivered:
            self.retrier.until_done(lambda: forget(self.redis, held.message.picture_id))

    def _settle_error(self, held: PendingMessage, error: FacefleetError) -> None:
        message = held.message
        decision = decide(error, message.attempt)
        match decision:
            case DeadLetter():
                self._bury(held.delivery, error)
                return
            case Fail():
                self._fail(held, error)
            case RetryAfter(rung, wait):
                headers, body = encode(message.again())
                self._publish("", retry_queue(rung), headers, body, wait)
                self.metrics.picture("retried")
                self.event_log.info("retried", **_about(message), wait=round(wait, 1), reason=str(error))
        held.delivery.acknowledge()

    def _fail(self, held: PendingMessage, error: FacefleetError) -> None:
        message, code = held.message, getattr(error, "code", "gave_up")
        outcome = self.retrier.until_done(lambda: fail(self.redis, message.picture_id, code, str(error)))
        if outcome is not Outcome.DONE:
            self._skip(held, outcome)
            return
        self.metrics.picture("failed")
        self.event_log.info("failed", **_about(message), code=code, reason=str(error))

    def _bury(self, delivery: Delivery, error: FacefleetError) -> None:
        headers = {**_printable(delivery.headers or {}), "reason": str(error)}
        self._publish(DEAD, "", headers, delivery.body, None)
        self.metrics.dead_letter()
        self.event_log.info("dead letter", **_claimed(headers), reason=str(error))
        delivery.acknowledge()

    def _publish(
        self, exchange: str, key: str, headers: dict[str, object], body: bytes, wait: float | None
    ) -> None:
        self.retrier.until_done(lambda: self.publisher.publish(exchange, key, headers, body, expires=wait))


def _about(message: Message) -> dict[str, str]:
    return {"hash": message.picture_id, "name": message.name, "request_id": message.request_id}


def _claimed(headers: Mapping[str, object]) -> dict[str, str]:
    """What a message that cannot be read says that it is about."""
    named = {key: headers.get(key) for key in ("hash", "name", "request_id")}
    return {key: value[:200] for key, value in named.items() if isinstance(value, str)}


def _printable(headers: Mapping[str, Any]) -> dict[str, object]:
    """The plain headers of a message that nobody vouches for, small enough to be published again.

    A message of ours has no others. What a stranger put in may be of kinds that can be read but not written, or
    as large as a frame can be: publishing it would fail for ever.
    """
    kept: dict[str, object] = {}
    size = 0
    for key, value in headers.items():
        size += len(f"{key}{value}".encode())
        plain = isinstance(value, str) or (isinstance(value, int) and abs(value) < LARGEST)
        if plain and size <= MOST_HEADERS:
            kept[key] = value
    return kept
