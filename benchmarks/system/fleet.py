"""A benchmark's own system, as processes: Redis and RabbitMQ behind a proxy each, the server, workers."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.system.proxy import Proxy
from benchmarks.system.servers import leading_to, servers
from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from local.process import Process, listening, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer

LOOK = 0.1  # seconds between looks at what has ended
READY = 120.0  # seconds


@dataclass(kw_only=True)
class Fleet:
    """The server and the workers, and how to reach what they use."""

    settings: Settings
    redis: RedisClient
    rest: Process
    workers: list[Process]
    starts: dict[str, int] = field(default_factory=dict)

    def settled(self) -> bool:
        """Tell whether every accepted picture is done or failed."""
        return queries.counts(self.redis).in_flight == 0


@dataclass(kw_only=True)
class SingleFleet(Fleet):
    """One of each. `settings` lead past the proxies; the server and the workers go through them."""

    redis_server: RedisServer
    rabbit: RabbitServer
    redis_proxy: Proxy
    rabbit_proxy: Proxy


def signal_group(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process and its children; each of ours leads a group."""
    pid = process.pid
    if pid is not None:
        with suppress(ProcessLookupError):
            os.killpg(pid, number)


@contextmanager
def running(folder: Path, workers: int, **variables: str) -> Iterator[SingleFleet]:
    """Run a system with its files in a folder; a worker or server that ends is started again at once."""
    with ExitStack() as stack:
        redis_server, rabbit = stack.enter_context(servers(folder))
        before_redis, before_rabbit = (stack.enter_context(Proxy(s.port)) for s in (redis_server, rabbit))
        settings = leading_to(redis_server, rabbit)
        redis = RedisClient(settings)
        stack.callback(redis.close)
        names = ["rest-0", *(f"worker-{number}" for number in range(1, workers + 1))]
        rest, *working = [Process(name, folder) for name in names]
        fleet = SingleFleet(
            settings=settings,
            redis=redis,
            rest=rest,
            workers=working,
            redis_server=redis_server,
            rabbit=rabbit,
            redis_proxy=before_redis,
            rabbit_proxy=before_rabbit,
        )
        stack.enter_context(kept(fleet, {**os.environ, **_environment(fleet), **variables}))
        if not until(lambda: listening(settings.rest_port), READY):
            raise SystemExit(f"the server did not start:\n{rest.last_lines()}")
        yield fleet


def _environment(fleet: SingleFleet) -> dict[str, str]:
    return {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(fleet.redis_proxy.port),
        "RABBITMQ_HOST": "127.0.0.1",
        "RABBITMQ_PORT": str(fleet.rabbit_proxy.port),
        "REST_HOST": "127.0.0.1",
        "REST_PORT": str(fleet.settings.rest_port),
        "LOG_LEVEL": "warning",
    }


@contextmanager
def kept(fleet: Fleet, environ: Mapping[str, str]) -> Iterator[None]:
    """Start the server and the workers, and each of them again whenever it ends."""
    stopping = threading.Event()
    parts = [fleet.rest, *fleet.workers]

    def keep() -> None:
        while not stopping.wait(LOOK):
            for part in parts:
                if part.ended():
                    part.start([sys.executable, "-m", part.name.partition("-")[0]], environ)
                    fleet.starts[part.name] = fleet.starts.get(part.name, 0) + 1

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        for part in parts:
            signal_group(part, signal.SIGKILL)
            part.kill()
