"""Settlement: what became of a picture is recorded and logged, and then its message is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

from faces.errors import FacefleetError
from faces.messaging.event_log import EventLog
from faces.messaging.message import Message, encode
from faces.messaging.topology import retry_queue
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from worker.job import Result
from worker.messages.attempts import Attempts
from worker.messages.dead_letters import DeadLetters
from worker.messages.delivery import PendingMessage
from worker.messages.outbox import Letter, Outbox
from worker.messages.retry import DeadLetter, Fail, RetryAfter, decide
from worker.metrics import Metrics


class Settlement:
    """Settles messages. Belongs to the computing thread."""

    def __init__(
        self,
        *,
        redis: RedisClient,
        attempts: Attempts,
        outbox: Outbox,
        dead_letters: DeadLetters,
        event_log: EventLog,
        metrics: Metrics,
        retrier: Retrier,
    ) -> None:
        self._redis = redis
        self._attempts = attempts
        self._outbox = outbox
        self._dead_letters = dead_letters
        self._event_log = event_log
        self._metrics = metrics
        self._retrier = retrier

    def taken(self, batch: Sequence[PendingMessage]) -> None:
        """Log and count pictures that processing begins with."""
        self._attempts.hold(pending.picture_id for pending in batch)
        self._metrics.batch(len(batch), sum(pending.delivery.redelivered for pending in batch))
        for pending in batch:
            self._event_log.debug("taken", **_about(pending.message))

    def settle(self, pending: PendingMessage, result: Result) -> None:
        """Settle a message by the result of its picture.

        Raises:
            Transient: Redis is unavailable, and the worker is stopping; the message is not acknowledged.
        """
        if result.error is not None:
            self._settle_error(pending, result.error)
        elif result.outcome is Outcome.DONE:
            self._done(pending, result)
        elif result.outcome is not None:
            self._skip(pending, result.outcome)

    def _done(self, pending: PendingMessage, result: Result) -> None:
        self._metrics.picture("done", result.faces)
        self._event_log.info(
            "done",
            **_about(pending.message),
            faces=result.faces,
            matches=result.matches,
            seconds=round(result.seconds, 3),
        )
        self._acknowledge(pending)

    def _skip(self, pending: PendingMessage, outcome: Outcome) -> None:
        """Acknowledge a picture that needs nothing more."""
        self._event_log.debug("skipped", **_about(pending.message), reason=outcome.value)
        self._attempts.forget(pending)
        self._acknowledge(pending)

    def _settle_error(self, pending: PendingMessage, error: FacefleetError) -> None:
        match decide(error, pending.message.attempt):
            case DeadLetter():
                self._dead_letters.bury(pending.delivery, error)
            case Fail():
                self._fail(pending, error)
            case RetryAfter(rung, wait):
                self._retry(pending, error, rung, wait)

    def _fail(self, pending: PendingMessage, error: FacefleetError) -> None:
        code = getattr(error, "code", "gave_up")
        outcome = self._retrier.until_done(lambda: fail(self._redis, pending.picture_id, code, str(error)))
        if outcome is not Outcome.DONE:
            self._skip(pending, outcome)
            return
        self._metrics.picture("failed")
        self._event_log.info("failed", **_about(pending.message), code=code, reason=str(error))
        self._acknowledge(pending)

    def _retry(self, pending: PendingMessage, error: FacefleetError, rung: int, wait: float) -> None:
        def published() -> None:
            self._metrics.picture("retried")
            self._event_log.info("retried", **_about(pending.message), wait=round(wait, 1), reason=str(error))
            self._acknowledge(pending)

        headers, body = encode(pending.message.again())
        self._outbox.put(Letter(pending.delivery, "", retry_queue(rung), headers, body, published, wait))

    def _acknowledge(self, pending: PendingMessage) -> None:
        self._attempts.release(pending.picture_id)
        pending.delivery.acknowledge()


def _about(message: Message) -> dict[str, str]:
    return {"hash": message.picture_id, "name": message.name, "request_id": message.request_id}
