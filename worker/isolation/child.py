"""The child: decodes pictures and finds their faces. It may die of any of them."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from faces.errors import PictureError
from faces.formats.limits import Limits
from faces.process import pipes
from worker.engine.portrait import Drawing
from worker.engine.types import Engine, Face, View
from worker.health.memory import resident
from worker.isolation import wire
from worker.isolation.view import described, open_for
from worker.isolation.wire import Answer, FoundFaces

log = logging.getLogger(__name__)


class Child:
    """Answers batches that come by a connection."""

    def __init__(self, engine: Engine, limits: Limits, connection: Connection) -> None:
        self._engine = engine
        self._limits = limits
        self._connection = connection

    def serve(self) -> None:
        """Answer until the worker closes the connection."""
        with suppress(EOFError, OSError):
            while True:
                self._answer(*wire.receive_batch(self._connection))

    def _answer(self, pictures: list[bytes], memory: int) -> None:
        _limit(memory)
        try:
            if not pictures:
                self._engine.find([Drawing(320)])  # a trial: a forked engine works
            answer = Batch(self._engine, self._limits, self._connection).find(pictures)
        except MemoryError:
            pipes.send(self._connection, {"fault": "memory", "reason": "out of memory"})
        except OSError:
            raise  # the worker is gone
        except Exception as error:  # whatever a hostile picture provokes is this batch's fault alone
            log.exception("the engine failed")
            reason = str(error) or type(error).__name__
            pipes.send(self._connection, {"fault": "failed", "reason": reason})
        else:
            wire.send_answer(self._connection, answer)


class Batch:
    """One batch, its stages timed. Says which picture it is at: a sign of life, and what it died of."""

    def __init__(self, engine: Engine, limits: Limits, connection: Connection) -> None:
        self._engine = engine
        self._limits = limits
        self._connection = connection
        self._stages: list[tuple[str, float]] = []

    def find(self, pictures: list[bytes]) -> Answer:
        """Find the faces of all pictures, all chips in one call of the encoder."""
        results: list[FoundFaces | PictureError | None] = [None] * len(pictures)
        faces = iter(self._engine.find(self._views(pictures, results), self._stage))
        whole = [_found(next(faces)) if result is None else result for result in results]
        return Answer(whole, self._stages, resident())

    def _views(
        self, pictures: list[bytes], results: list[FoundFaces | PictureError | None]
    ) -> Iterator[View]:
        for number, data in enumerate(pictures):
            pipes.send(self._connection, {"at": number})
            try:
                with self._stage("decode"):
                    view = open_for(self._engine, data, self._limits)
            except PictureError as error:
                results[number] = error
                continue
            yield view
        pipes.send(self._connection, {"at": None})

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._stages.append((name, time.perf_counter() - begun))


def _found(faces: list[Face]) -> FoundFaces:
    indexed = tuple(face.encoding.astype("<f4").tobytes() for face in faces if face.reason is None)
    crops = tuple(face.crop for face in faces if face.crop is not None)
    return FoundFaces([described(face) for face in faces], indexed, crops)


def _limit(memory: int) -> None:
    """Limit this process's data, in bytes; 0: not at all.

    The limit is on data (RLIMIT_DATA), not on address space: models and allocators reserve three times the
    addresses that they ever use. What passes it is a MemoryError in the picture that asked for too much.
    """
    if memory:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
