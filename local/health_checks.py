"""Looking at the parts of the system: which of them do their work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal

import requests

from faces.amqp import connect, translated
from faces.config import Settings
from faces.errors import BrokerError, StoreError
from faces.store.client import RedisClient
from faces.store.statements import groups_process_runs
from faces.topology import PICTURES_QUEUE
from local.process import Process

State = Literal["ready", "starting", "stopped", "away"]
QUICK = 5.0  # seconds for an answer on this machine


@dataclass(frozen=True)
class Part:
    """One part of the system: `away` is another's server that does not answer; it has no process of ours."""

    name: str
    state: State
    address: str
    process: Process | None

    @property
    def ready(self) -> bool:
        """Tell whether it does its work."""
        return self.state == "ready"

    @property
    def pid(self) -> int | None:
        """Pid of its process; None if that does not run, or is not ours."""
        return self.process.pid if self.process else None


def look(settings: Settings, servers: Mapping[str, Process], ours: Sequence[Process]) -> list[Part]:
    """Look at every part: servers, of which those in `servers` are ours, the REST server and the workers.

    A worker is ready once it consumes. RabbitMQ tells how many do, not which: all of them turn ready together.
    """
    consumers = _consumers(settings)
    answers = {
        "rabbitmq": consumers is not None,
        "redis": _ask_redis(settings, _redis_answers),
        "rest": _rest_answers(settings),
        "groups": _ask_redis(settings, groups_process_runs),
        "worker": (consumers or 0) >= sum(process.name.startswith("worker-") for process in ours),
    }
    addresses = {
        "rabbitmq": f"{settings.rabbitmq_host}:{settings.rabbitmq_port}",
        "redis": f"{settings.redis_host}:{settings.redis_port}",
        "rest": settings.server,
        "groups": "",
        "worker": "",
    }
    parts = {"rabbitmq": None, "redis": None, **servers, **{process.name: process for process in ours}}
    return [
        Part(name, _state(answers[kind], process), addresses[kind], process)
        for name, process in parts.items()
        for kind in [name.partition("-")[0]]
    ]


def _state(answers: bool, process: Process | None) -> State:
    if process is None:
        return "ready" if answers else "away"
    if process.pid is None:
        return "stopped"
    return "ready" if answers else "starting"


def _consumers(settings: Settings) -> int | None:
    """How many workers consume; None if RabbitMQ does not answer."""
    try:
        with translated(), closing(connect(replace(settings, publish_timeout=QUICK))) as connection:
            return _consumers_of_queue(connection.channel())
    except BrokerError:
        return None


def _consumers_of_queue(channel: Any) -> int:
    try:
        with translated():
            found = channel.queue_declare(PICTURES_QUEUE, passive=True)
    except BrokerError:
        return 0  # nobody has declared it yet
    return int(found.method.consumer_count)


def _redis_answers(redis: RedisClient) -> bool:
    redis.check()
    return True


def _ask_redis(settings: Settings, question: Callable[[RedisClient], bool]) -> bool:
    redis = RedisClient(settings)
    try:
        return question(redis)
    except StoreError:
        return False
    finally:
        redis.close()


def _rest_answers(settings: Settings) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy knows this machine
            return session.get(settings.server, timeout=QUICK).ok
    except requests.RequestException:
        return False
