"""One reader of the event stream for a whole server: whoever wants events is handed them from here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.events import stream
from faces.usecases.event_details import Document, detailed

WAIT = 5.0  # seconds that Redis holds an unanswered question
FIRST = 1.0  # seconds for the first look at Redis
PAUSE = 1.0  # seconds between tries while Redis is unavailable
GATHER = 0.02  # seconds in which events gather: with many listeners, each batch costs more than an event

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that follow `after`, up to the id `last`; with `gap`, some between the two are lost."""

    after: str
    last: str
    documents: Sequence[Document]
    gap: bool = False


class Follower:
    """Follows the stream on a thread of its own, from its end on."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._subscribers: list[Callable[[Batch], None]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._position: str | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> Follower:
        """Start following; where Redis answers, the position is known from now on."""
        self._thread.start()
        self._begun.wait(FIRST)
        return self

    @property
    def position(self) -> str:
        """The id of the last event that was handed out.

        Raises:
            StoreError: Redis has not been available yet.
        """
        if self._position is None:
            raise StoreError("Redis is not reachable or not ready: no event has been read yet")
        return self._position

    def close(self) -> None:
        """Stop, within the time that Redis is asked to wait."""
        self._closing.set()

    @contextmanager
    def subscribed(self, subscriber: Callable[[Batch], None]) -> Iterator[None]:
        """Call a function with each batch, on the follower's thread, for as long as the context lasts."""
        with self._lock:
            self._subscribers = [*self._subscribers, subscriber]
        try:
            yield
        finally:
            with self._lock:
                self._subscribers = [other for other in self._subscribers if other is not subscriber]

    def _run(self) -> None:
        interrupted = False
        while not self._closing.is_set():
            try:
                self._follow(interrupted)
                interrupted = False
            except StoreError as error:
                if not interrupted and not self._closing.is_set():
                    log.warning("events cannot be read: %s", error)
                interrupted = True
                self._closing.wait(PAUSE)

    def _follow(self, interrupted: bool) -> None:
        if self._position is None:
            self._position = stream.latest(self._redis)
            self._begun.set()
        found = stream.read(self._redis, self._position, wait=0 if interrupted else WAIT)
        # afterwards, because Redis may be emptied while it holds the question, and a connection that was lost then
        # may have been opened again without a word
        position, lost = stream.resume(self._redis, self._position)
        if lost:
            self._hand_out(Batch(self._position, position, (), gap=True))
        elif found:
            self._hand_out(Batch(self._position, found[-1].id, detailed(self._redis, found)))
            self._closing.wait(GATHER)

    def _hand_out(self, batch: Batch) -> None:
        self._position = batch.last
        for subscriber in self._subscribers:
            subscriber(batch)
