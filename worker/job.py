"""What a worker does with the pictures it has in hand: fetch, decode, find faces, compare, commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from faces.errors import FacefleetError, PictureError
from faces.formats.limits import Limits
from faces.image_store import ImageStore
from faces.message import Message
from faces.store import queries
from faces.store.client import RedisClient
from faces.store.commit import DetectionResult, Outcome, commit
from faces.store.data_version import DataVersion
from worker.decoding.decoder import Picture, decode
from worker.engine.types import Engine, Face, Pixels
from worker.health.watchdog import Watchdog
from worker.index.face_index import FaceIndex
from worker.metrics import Metrics
from worker.retrier import Retrier


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a picture: an outcome of the commit, or the error that kept it from one."""

    outcome: Outcome | None = None
    error: FacefleetError | None = None
    faces: int = 0
    matches: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture in hand: decoded as large as the engine has a use for, and its bytes."""

    data: bytes
    limits: Limits
    decoded: Picture

    @property
    def pixels(self) -> Pixels:
        """The picture, perhaps reduced."""
        return self.decoded.pixels

    @property
    def scale(self) -> float:
        """A position in `pixels` times this is the position in the whole picture."""
        return self.decoded.scale

    def whole(self) -> Pixels:
        """The picture at full size."""
        return decode(self.data, limits=self.limits).pixels


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """Does batches of pictures. It belongs to one thread, as its engine and its index do."""

    redis: RedisClient
    image_store: ImageStore | None
    engine: Engine
    face_index: FaceIndex
    data_version: DataVersion
    limits: Limits
    retrier: Retrier
    metrics: Metrics
    watchdog: Watchdog

    def follow(self) -> None:
        """Read what other workers have committed; waits while Redis is unavailable.

        Raises:
            StoreError: Redis is unavailable, and the worker is stopping.
        """
        self.retrier.until_done(lambda: self.face_index.follow(self.redis))

    def run(self, messages: Sequence[Message]) -> dict[str, Result]:
        """Do a batch and give a result for each hash in it; one bad picture fails alone.

        While Redis is away this waits, with all that was computed in hand.

        Raises:
            StoreError: Redis is away and the worker is to stop.
        """
        begun = time.monotonic()
        messages = list({message.picture_id: message for message in messages}.values())
        results = self.retrier.until_done(lambda: self._settled_before(messages))
        fetched = self._fetch([message for message in messages if message.picture_id not in results], results)
        with self.watchdog.watch(list(fetched)):
            found = self._find(fetched, results)
        results |= self.retrier.until_done(lambda: self._commit(found, begun))
        return results

    def _settled_before(self, messages: Sequence[Message]) -> dict[str, Result]:
        statuses = queries.statuses(self.redis, [message.picture_id for message in messages])
        return {
            message.picture_id: Result(Outcome.GONE if status is None else Outcome.ALREADY)
            for message, status in zip(messages, statuses, strict=True)
            if status is None or status.state != "pending"
        }

    def _fetch(self, messages: Sequence[Message], results: dict[str, Result]) -> dict[str, bytes]:
        fetched: dict[str, bytes] = {}
        for message in messages:
            try:
                with self.metrics.stage("fetch"):
                    fetched[message.picture_id] = self._bytes(message)
            except FacefleetError as error:
                results[message.picture_id] = Result(error=error)
        return fetched

    def _bytes(self, message: Message) -> bytes:
        if message.data is not None:
            return message.data
        if self.image_store is None:
            raise PictureError(
                "the picture lies in an image store, but IMAGE_STORE_URL is not set here", code="missing"
            )
        return self.image_store.get(message.picture_id)

    def _find(self, picture_ids: dict[str, bytes], results: dict[str, Result]) -> list[DetectionResult]:
        """Find the faces of all pictures at once; where that fails, of each alone, to see which one it was."""
        try:
            return self._find_at_once(picture_ids, results)
        except (RuntimeError, ValueError, MemoryError) as error:
            if len(picture_ids) == 1:
                results[next(iter(picture_ids))] = Result(error=_engine_failed(error))
                return []
        left = [h for h in picture_ids if h not in results]
        return [found for h in left for found in self._find({h: picture_ids[h]}, results)]

    def _find_at_once(
        self, picture_ids: dict[str, bytes], results: dict[str, Result]
    ) -> list[DetectionResult]:
        opened: dict[str, Opened] = {}
        for picture_id, data in picture_ids.items():
            try:
                with self.metrics.stage("decode"):
                    opened[picture_id] = open_for(self.engine, data, self.limits)
            except PictureError as error:
                results[picture_id] = Result(error=error)
        faces = self.engine.find(list(opened.values()), self.metrics.stage) if opened else []
        return [_found(h, f) for h, f in zip(opened, faces, strict=True)]

    def _commit(self, found: Sequence[DetectionResult], begun: float) -> dict[str, Result]:
        if not found:
            return {}
        before = self.face_index.position
        self.face_index.follow(self.redis)
        with self.metrics.stage("match"):
            comparison = self.face_index.compare(found)
        with self.metrics.stage("commit"):
            committed = commit(
                self.redis, found, self.data_version, lambda: self.face_index.place, comparison.catch_up
            )
        lag = self.face_index.position - before
        done = [f for f, outcome in zip(found, committed.outcomes, strict=True) if outcome is Outcome.DONE]
        self.face_index.add_committed(done)
        self.metrics.committed(committed.retries, lag, len(self.face_index))
        seconds = time.monotonic() - begun
        return {
            f.picture_id: Result(outcome, None, len(f.faces), len(edges), seconds)
            for f, outcome, edges in zip(found, committed.outcomes, comparison.edges, strict=True)
        }


def open_for(engine: Engine, data: bytes, limits: Limits) -> Opened:
    """Decode a picture as large as an engine has a use for.

    Raises:
        PictureError: it cannot be decoded.
    """
    return Opened(data, limits, decode(data, limits=limits, useful=engine.useful))


def _engine_failed(error: Exception) -> PictureError:
    if isinstance(error, MemoryError):
        return PictureError(
            "it takes more memory than a worker has; send a smaller one", code="out_of_memory"
        )
    return PictureError(f"the engine failed on it: {error or type(error).__name__}", code="engine_failed")


def _found(picture_id: str, faces: Sequence[Face]) -> DetectionResult:
    indexed = [face.encoding.astype("<f4").tobytes() for face in faces if face.reason is None]
    return DetectionResult(picture_id, [_described(face) for face in faces], tuple(indexed))


def _described(face: Face) -> dict[str, Any]:
    """A face as the status document has it."""
    indexed: dict[str, Any] = (
        {"indexed": True} if face.reason is None else {"indexed": False, "reason": face.reason}
    )
    told: dict[str, Any] = {"landmarks": face.landmarks} if face.landmarks else {}
    traits = asdict(face.traits) if face.traits else {}
    told |= {name: trait for name, trait in traits.items() if trait is not None}
    return (
        {"box": asdict(face.box), "detector": face.detector, "quality": asdict(face.quality)} | told | indexed
    )
