"""`/v1/stats`: what the whole fleet has done, and what waits."""

from __future__ import annotations

import time
from dataclasses import asdict

from flask import Response
from pydantic import BaseModel, Field

from faces import api_key
from faces.errors import BrokerError
from faces.messaging import queues
from faces.messaging.topology import DEAD, PICTURES_QUEUE
from faces.store import workers
from faces.store.collection import inspection, totals
from faces.store.people import directory
from faces.store.pictures import queries
from rest.answers import answer
from rest.metrics.rates import MINUTES
from rest.openapi import Routes
from rest.parts import parts

stats = Routes("stats")


class PictureCounts(BaseModel):
    """Pictures by state: accepted = done + failed + erased + in_flight."""

    accepted: int
    done: int
    failed: int
    erased: int
    in_flight: int


class Rate(BaseModel):
    """Pictures a second."""

    minutes: int = Field(description="Over the last minutes, or since the server started")
    accepted: float
    done: float
    failed: float


class Queue(BaseModel):
    """A queue in RabbitMQ."""

    name: str
    ready: int | None = Field(description="Messages that no worker has yet; null: not declared yet")
    consumers: int


class Worker(BaseModel):
    """A worker, as it reported within the last seconds; times are Unix seconds by its clock."""

    host: str = Field(description="Its machine, container or pod")
    pid: int
    version: str
    model: str
    state: str = Field(description="busy, idle, or waiting for RabbitMQ")
    since: float = Field(description="When it last began or finished a batch")
    pictures: int = Field(description="Pictures that it is processing")
    settled: int = Field(description="Pictures that it has done or failed since its start")
    faces: int = Field(description="Faces that it has in memory")
    started: float


class Stats(BaseModel):
    """The fleet at this moment. Faces and matches of a large collection are estimated from a sample."""

    pictures: PictureCounts
    faces: int = Field(description="Indexed faces")
    matches: int = Field(description="Pairs of pictures that match")
    groups: int = Field(description="People and groups of faces without a name, hidden ones included")
    people: int = Field(description="Of these, people that somebody has said something about")
    exact: bool = Field(description="Whether faces and matches are counted, not estimated")
    model: str | None
    tolerance: float | None
    oldest_in_flight_seconds: float | None = Field(description="null: nothing is in flight")
    rates: list[Rate]
    queues: list[Queue] | None = Field(description="null while RabbitMQ is unavailable")
    workers: int | None = Field(description="Workers that consume; null while RabbitMQ is unavailable")
    worker_details: list[Worker] = Field(description="What each worker does; one that fell silent is missing")
    dead_letters: int | None = Field(description="Messages nobody could process; null as above")


@stats.operation("GET", "/v1/stats", scope=api_key.READ, answers={200: Stats})
def get_stats() -> Response:
    """What the fleet has done, how fast it is, and what waits."""
    redis = parts().redis
    _, model, tolerance = inspection.stored_version(redis)
    found = totals.totals(redis)
    groups, confirmed = directory.count(redis)
    depths = _queues()
    by_name = {depth.name: depth for depth in depths or ()}
    return answer(
        Stats(
            pictures=PictureCounts(**asdict(queries.counts(redis))),
            faces=found.faces,
            matches=found.matches,
            groups=groups,
            people=confirmed,
            exact=found.exact,
            model=None if model is None else model.decode(),
            tolerance=inspection.tolerance([tolerance]),
            oldest_in_flight_seconds=_oldest(),
            rates=_rates(),
            queues=depths,
            workers=None if depths is None else by_name[PICTURES_QUEUE].consumers,
            worker_details=_workers(),
            dead_letters=None if depths is None else by_name[DEAD].ready or 0,
        )
    )


def _oldest() -> float | None:
    accepted = queries.oldest_in_flight(parts().redis)
    return None if accepted is None else max(0.0, time.time() - accepted)


def _rates() -> list[Rate]:
    found = ((minutes, parts().rates.per_second(minutes)) for minutes in MINUTES)
    return [Rate(minutes=minutes, **rate) for minutes, rate in found if rate is not None]


def _workers() -> list[Worker]:
    known = Worker.model_fields
    return [
        Worker(**{name: value for name, value in asdict(one).items() if name in known})
        for one in workers.present(parts().redis)
    ]


def _queues() -> list[Queue] | None:
    try:
        with parts().looks.held():
            depths = queues.depths(parts().settings)
    except BrokerError:
        return None
    return [Queue(name=depth.queue, ready=depth.ready, consumers=depth.consumers) for depth in depths]
