"""Looking at the parts of the system: which of them do their work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from faces.config import Settings
from faces.errors import BrokerError, StoreError
from faces.messaging.amqp import connect, translated
from faces.probe import holds
from faces.store.client import RedisClient
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
    """Look at every part: servers, of which those in `servers` are ours, and our own processes."""
    addresses = {"rest": settings.server, "rpc": f"{urlsplit(settings.server).hostname}:{settings.rpc_port}"}
    found = [
        _server(
            "rabbitmq", servers, f"{settings.rabbitmq_host}:{settings.rabbitmq_port}", _rabbitmq(settings)
        ),
        _server("redis", servers, f"{settings.redis_host}:{settings.redis_port}", _redis(settings)),
    ]
    return found + [
        Part(one.name, _state(_ready(one), one), addresses.get(one.name, ""), one) for one in ours
    ]


def _server(name: str, servers: Mapping[str, Process], address: str, answers: bool) -> Part:
    process = servers.get(name)
    return Part(name, _state(answers, process), address, process)


def _state(answers: bool, process: Process | None) -> State:
    if process is None:
        return "ready" if answers else "away"
    if process.pid is None:
        return "stopped"
    return "ready" if answers else "starting"


def _rabbitmq(settings: Settings) -> bool:
    try:
        with translated(), closing(connect(replace(settings, publish_timeout=QUICK))):
            return True
    except BrokerError:
        return False


def _redis(settings: Settings) -> bool:
    redis = RedisClient(settings)
    try:
        redis.check()
    except StoreError:
        return False
    finally:
        redis.close()
    return True


def _ready(process: Process) -> bool:
    port = process.metrics_port
    return port is not None and holds(port, "readyz")
