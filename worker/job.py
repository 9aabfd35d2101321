"""What a worker does with a batch of pictures: fetch, find faces, compare, commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from faces.errors import FacefleetError, PictureError, Transient
from faces.messaging.message import Message
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion
from faces.store.pictures import queries
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.outcome import Outcome
from faces.store.pictures.removal import removing
from faces.store.pictures.status import DAMAGED, Status
from worker.crops import Crops
from worker.index.face_index import FaceIndex
from worker.isolation.finder import Finder
from worker.isolation.quarantine import Found, Quarantine
from worker.isolation.wire import FoundFaces
from worker.metrics import Metrics
from worker.originals import Originals


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a picture: the outcome of its commit, or the error that prevented it."""

    outcome: Outcome | None = None
    error: FacefleetError | None = None
    faces: int = 0
    matches: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """Processes batches of pictures. Belongs to one thread, as its finder and its index do."""

    redis: RedisClient
    originals: Originals
    crops: Crops
    finder: Finder
    quarantine: Quarantine | None
    face_index: FaceIndex
    data_version: DataVersion
    retrier: Retrier
    metrics: Metrics

    def follow(self) -> None:
        """Read what other workers have committed; waits while Redis is unavailable.

        Raises:
            StoreError: Redis is unavailable, and the worker is stopping.
        """
        self.retrier.until_done(lambda: self.face_index.follow(self.redis))

    def run(
        self, messages: Sequence[Message], between: Callable[[], None] = lambda: None
    ) -> dict[str, Result]:
        """Process a batch and return a result for each hash in it; one bad picture fails alone.

        `between` is called before the faces of each few pictures are looked for.

        A picture in quarantine has no result yet: `finish_quarantined` returns it later. While Redis is unavailable
        this waits, and keeps what was computed.

        Raises:
            StoreError: Redis is unavailable, and the worker is stopping.
        """
        begun = time.monotonic()
        messages = list({message.picture_id: message for message in messages}.values())
        results = self.retrier.until_done(lambda: self._already_settled(messages))
        left = [message for message in messages if message.picture_id not in results]
        if self.quarantine is not None:  # it may have come again by another connection
            left = [message for message in left if message.picture_id not in self.quarantine]
        pictures = self._fetch(left, results)
        return results | self._committed(self.finder.find(pictures, between), begun)

    def finish_quarantined(self) -> dict[str, Result]:
        """Commit the slow pictures that are finished, and return their results.

        Raises:
            StoreError: Redis is unavailable, and the worker is stopping.
        """
        found = self.quarantine.collect() if self.quarantine is not None else {}
        return self._committed(found, time.monotonic()) if found else {}

    def _already_settled(self, messages: Sequence[Message]) -> dict[str, Result]:
        statuses = queries.statuses(self.redis, [message.picture_id for message in messages])
        settled = {
            message.picture_id: _settled(status)
            for message, status in zip(messages, statuses, strict=True)
            if status is None or status.state != "pending"
        }
        if settled:
            self.redis.confirm()  # their messages are about to be acknowledged
        return settled

    def _fetch(self, messages: Sequence[Message], results: dict[str, Result]) -> dict[str, bytes]:
        """The bytes of each picture, from its message or from the image store."""
        pictures = {message.picture_id: message.data for message in messages if message.data is not None}
        stored = [message.picture_id for message in messages if message.data is None]
        if not stored:
            return pictures
        with self.metrics.stage("fetch"):
            fetched = self.originals.fetch(stored)
        for picture_id, data in fetched.items():
            if isinstance(data, FacefleetError):
                results[picture_id] = Result(error=data)
            else:
                pictures[picture_id] = data
        return pictures

    def _committed(self, results: Found, begun: float) -> dict[str, Result]:
        errors = {p: error for p, error in results.items() if isinstance(error, FacefleetError)}
        whole = {p: result for p, result in results.items() if isinstance(result, FoundFaces)}
        errors |= self.crops.keep({p: result.crops for p, result in whole.items()})
        found = [
            DetectionResult(p, result.faces, result.encodings)
            for p, result in whole.items()
            if p not in errors
        ]
        committed = self.retrier.until_done(lambda: self._commit(found, begun))
        for picture_id in (p for p, result in committed.items() if result.outcome is Outcome.GONE):
            self._drop_crops(picture_id)
        return {p: Result(error=error) for p, error in errors.items()} | committed

    def _drop_crops(self, picture_id: str) -> None:
        """Remove the crops of a picture that was erased meanwhile, unless it is sent again."""
        if self.crops.kept:
            with (
                suppress(Transient),
                removing(self.redis, picture_id),
            ):  # `reconcile --sweep` finds what is left
                if queries.statuses(self.redis, [picture_id]) == [None]:
                    self.crops.drop([picture_id])

    def _commit(self, found: Sequence[DetectionResult], begun: float) -> dict[str, Result]:
        if not found:
            return {}
        before = self.face_index.position
        self.face_index.follow(self.redis)
        with self.metrics.stage("match"):
            match_set = self.face_index.compare(found)
        with self.metrics.stage("commit"):
            committed = commit(
                self.redis, found, self.data_version, lambda: self.face_index.place, match_set.catch_up
            )
        lag = self.face_index.position - before
        done = [f for f, outcome in zip(found, committed.outcomes, strict=True) if outcome is Outcome.DONE]
        self.face_index.add_committed(done, committed.mark)
        self.metrics.committed(committed.retries, lag, len(self.face_index))
        seconds = time.monotonic() - begun
        return {
            f.picture_id: Result(outcome, None, len(f.faces), len(edges), seconds)
            if outcome is not Outcome.DAMAGED
            else _settled(DAMAGED)
            for f, outcome, edges in zip(found, committed.outcomes, match_set.edges, strict=True)
        }


def _settled(status: Status | None) -> Result:
    """Return the result of a picture that needs no work."""
    if status is DAMAGED:
        return Result(error=PictureError("its status document was damaged: send it again", code="damaged"))
    return Result(Outcome.GONE if status is None else Outcome.ALREADY)
