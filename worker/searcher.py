"""Searching: who of those known is in a picture that is not stored."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.documents import to_json
from faces.errors import BrokerError, FacefleetError, PictureError, PoisonError
from faces.messaging.amqp import Publisher
from faces.messaging.search import Question, decode
from faces.store.client import RedisClient
from faces.store.collection import journal
from faces.store.pictures.evidence import Shown, described
from worker.index.face_index import FaceIndex, vectors
from worker.isolation.wire import FoundFaces
from worker.messages.delivery import Delivery

log = logging.getLogger(__name__)

Find = Callable[[bytes], FoundFaces]
"""Finds the faces in a picture's bytes, or raises the FacefleetError that is the picture's."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A known face: its picture, its place among the picture's encodings, and how far it is."""

    picture_id: str
    face: int
    distance: float


@dataclass(kw_only=True, eq=False)
class Searcher:
    """Answers searches between two groups of pictures. Belongs to the computing thread, as the index does."""

    searches: queue.SimpleQueue[Delivery]
    redis: RedisClient
    face_index: FaceIndex
    find: Find
    model: str
    publisher: Publisher

    def answer_all(self) -> None:
        """Answer the searches that wait."""
        with suppress(queue.Empty):
            while True:
                delivery = self.searches.get_nowait()
                if delivery.valid():
                    self._answer(delivery)

    def _answer(self, delivery: Delivery) -> None:
        headers = delivery.headers or {}
        try:
            if delivery.redelivered:
                raise PoisonError("a worker stopped while it searched for this picture")
            answer = self._search(decode(headers, delivery.body))
        except FacefleetError as error:
            code = getattr(error, "code", "unavailable")
            answer = {"error": {"code": code, "reason": str(error)}}
        try:
            body = to_json(answer).encode()
            self.publisher.publish("", str(headers.get("reply_to")), {"id": str(headers.get("id"))}, body)
        except BrokerError as error:
            log.info("a search was answered too late: %s", error)
        delivery.acknowledge()

    def _search(self, question: Question) -> dict[str, Any]:
        self.face_index.follow(self.redis)
        found = self._found(question)
        limit = min(question.max_distance, self.face_index.tolerance)
        faces = vectors(found.encodings)
        matches = self._matches(faces, limit, question.limit)
        known = self._known({match.picture_id for some in matches for match in some})
        of_indexed = iter(
            {"encoding": face.tolist(), "matches": [_told(match, known) for match in some]}
            for face, some in zip(faces, matches, strict=True)
        )
        return {
            "model": self.model,
            "tolerance": self.face_index.tolerance,
            "faces": [
                {**face, **(next(of_indexed) if face.get("indexed", True) else {"matches": []})}
                for face in found.faces
            ],
        }

    def _found(self, question: Question) -> FoundFaces:
        if not question.encoding:
            return self.find(question.data)
        if not np.isfinite(vectors([question.data])).all():
            raise PictureError("the encoding has a value that is not a number", code="bad_encoding")
        return FoundFaces([{"indexed": True}], (question.data,))

    def _matches(self, faces: NDArray[np.float32], limit: float, most: int) -> list[list[_Match]]:
        """For each face, the nearest known ones, one a picture."""
        if not len(faces):
            return []
        digests = self.face_index.matches(faces)
        with self.redis.session() as session:
            known = journal.encodings(session, {digest for some in digests for digest in some})
        return [
            sorted(_near(face, some, known, limit), key=lambda m: (m.distance, m.picture_id))[:most]
            for face, some in zip(faces.astype(np.float64), digests, strict=True)
        ]

    def _known(self, picture_ids: set[str]) -> dict[str, Shown]:
        return {picture.picture: picture for picture in described(self.redis, sorted(picture_ids))}


def _near(
    face: NDArray[np.float64],
    digests: Sequence[bytes],
    known: Mapping[bytes, tuple[bytes, ...]],
    limit: float,
) -> Iterator[_Match]:
    for digest in digests:
        if encodings := known[digest]:  # none: erased meanwhile
            distances = np.sqrt(((vectors(encodings).astype(np.float64) - face) ** 2).sum(axis=1))
            nearest = int(distances.argmin())
            if distances[nearest] <= limit:
                yield _Match(digest.hex(), nearest, float(distances[nearest]))


def _told(match: _Match, known: Mapping[str, Shown]) -> dict[str, Any]:
    picture = known[match.picture_id]
    there = match.face < len(picture.boxes)  # unless it was erased, or sent again, meanwhile
    return {
        "hash": match.picture_id,
        "names": picture.names,
        "face": picture.numbers[match.face] if there else match.face,
        "box": picture.boxes[match.face] if there else None,
        "distance": match.distance,
    }
