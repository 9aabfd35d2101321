"""What happens to messages between delivery and acknowledgement."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from faces.errors import MessageError, MismatchError, PoisonError, Transient
from faces.messaging.event_log import EventLog
from faces.messaging.message import decode
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.fail import fail
from worker.health.memory import Memory
from worker.job import Jobs, Result
from worker.messages.attempts import Attempts
from worker.messages.batching import Batcher
from worker.messages.dead_letters import DeadLetters
from worker.messages.delivery import Delivery, PendingMessage
from worker.messages.outbox import Outbox
from worker.messages.settlement import Settlement
from worker.metrics import Metrics
from worker.presence import Activity
from worker.searcher import Searcher

log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class BatchProcessor:
    """Processes batches until told to stop: finishes the current one and leaves the rest queued.

    Runs on the computing thread. `fault` is what ended it early.
    """

    batcher: Batcher
    dead_letters: DeadLetters
    attempts: Attempts
    jobs: Jobs
    settlement: Settlement
    memory: Memory
    stopping: threading.Event
    searcher: Searcher | None = None
    activity: Activity = field(default_factory=Activity)
    fault: Exception | None = field(default=None, init=False)
    _pending: dict[str, list[PendingMessage]] = field(default_factory=dict, init=False)

    def run(self) -> None:
        """Work until told to stop, or until the process has outgrown its memory."""
        try:
            while not self.stopping.is_set() and not self.memory.outgrown():
                self._run_once()
        except Exception as error:  # noqa: BLE001 -- raised by the main thread; the pictures come again
            self.fault = error
            if not isinstance(error, MismatchError):
                return
        self.attempts.excuse()  # of what it still holds

    def _run_once(self) -> None:
        try:
            batch = self.batcher.take()
            self._search()
            if batch:
                self._process(batch)
            else:
                self.jobs.follow()
            self._settle(self.jobs.finish_quarantined())
        except Transient as error:  # until told to stop, such errors are waited out
            log.warning("stopping; pictures remain queued: %s", error)

    def _process(self, batch: Sequence[Delivery]) -> None:
        pictures = list(self._allowed(self._readable(batch)))
        self.settlement.taken(pictures)
        for pending in pictures:
            self._pending.setdefault(pending.picture_id, []).append(pending)
        with self.activity.processing(len(pictures)):
            self._settle(self.jobs.run([pending.message for pending in pictures], self._search))

    def _search(self) -> None:
        if self.searcher is not None:
            self.searcher.answer_all()

    def _settle(self, results: Mapping[str, Result]) -> None:
        self.activity.settled += len(results)
        for picture_id, result in results.items():
            for pending in self._pending.pop(picture_id, []):
                self.settlement.settle(pending, result)

    def _readable(self, batch: Sequence[Delivery]) -> Iterator[PendingMessage]:
        for delivery in batch:
            try:
                yield PendingMessage(delivery, decode(delivery.headers, delivery.body))
            except MessageError as error:
                self.dead_letters.put_aside(delivery, error)

    def _allowed(self, pictures: Iterator[PendingMessage]) -> Iterator[PendingMessage]:
        for pending in pictures:
            try:
                self.attempts.check(pending)
            except PoisonError as error:
                self.settlement.settle(pending, Result(error=error))
            else:
                yield pending


def build_processor(
    *,
    redis: RedisClient,
    batcher: Batcher,
    attempts: Attempts,
    jobs: Jobs,
    outbox: Outbox,
    event_log: EventLog,
    metrics: Metrics,
    memory: Memory,
    retrier: Retrier,
    stopping: threading.Event,
    searcher: Searcher | None = None,
) -> BatchProcessor:
    """Build a processor with the parts that nobody else needs."""
    dead_letters = DeadLetters(
        outbox,
        event_log,
        metrics,
        lambda picture_id, why: retrier.until_done(lambda: fail(redis, picture_id, "dead_letter", why)),
        lambda picture_id: retrier.until_done(lambda: _is_gone(redis, picture_id)),
    )
    settlement = Settlement(
        redis=redis,
        attempts=attempts,
        outbox=outbox,
        dead_letters=dead_letters,
        event_log=event_log,
        metrics=metrics,
        retrier=retrier,
    )
    return BatchProcessor(
        batcher=batcher,
        dead_letters=dead_letters,
        attempts=attempts,
        jobs=jobs,
        settlement=settlement,
        memory=memory,
        stopping=stopping,
        searcher=searcher,
    )


def _is_gone(redis: RedisClient, picture_id: str) -> bool:
    """Tell whether a picture was erased or never accepted; replicas have that, for its message ends with it."""
    (status,) = queries.statuses(redis, [picture_id])
    if status is None:
        redis.confirm()
    return status is None
