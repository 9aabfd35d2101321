"""Which workers there are, and what each does: a worker reports every few seconds, and a report expires."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from faces.documents import fields_of, readable, to_json
from faces.store.client import RedisClient
from faces.store.keys import HOME, WORKERS, worker_key

REPORT_EVERY = 5.0  # seconds
LASTS = 20  # seconds that a report is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker does; times are Unix seconds by its own clock.

    Attributes:
        id: random, new with each start.
        host: name of its machine, container or pod.
        state: `busy`, `idle` or `waiting for RabbitMQ`.
        since: when it last began or finished a batch.
        pictures: how many it is processing.
        settled: how many it has done or failed since its start.
        faces: how many faces it has in memory.
        started: when it was started.
    """

    id: str
    host: str
    pid: int
    version: str
    model: str
    started: float
    state: str
    since: float
    pictures: int
    settled: int
    faces: int


def report(redis: RedisClient, worker: WorkerReport) -> None:
    """Write a worker's report.

    Raises:
        StoreError: Redis is unavailable, or full.
    """
    redis.ask(
        (HOME, "SET", worker_key(worker.id), to_json(asdict(worker)), "EX", LASTS),
        (HOME, "SADD", WORKERS, worker.id),
    )


def leave(redis: RedisClient, worker: str) -> None:
    """Remove the report of a worker that ends."""
    redis.ask((HOME, "SREM", WORKERS, worker), (HOME, "DEL", worker_key(worker)))


def present(redis: RedisClient) -> list[WorkerReport]:
    """The reports of all workers, by host; one that has ended without a word is left out after `LASTS` seconds."""
    (members,) = redis.ask((HOME, "SMEMBERS", WORKERS))
    ids = sorted(member.decode() for member in members)
    (documents,) = redis.ask((HOME, "MGET", *map(worker_key, ids))) if ids else ([],)
    if gone := [one for one, document in zip(ids, documents, strict=True) if document is None]:
        redis.ask((HOME, "SREM", WORKERS, *gone))
    found = readable(_read, (document for document in documents if document is not None))
    return sorted(found, key=lambda worker: (worker.host, worker.started))


def _read(document: bytes) -> WorkerReport:
    return WorkerReport(**fields_of(WorkerReport, document))
