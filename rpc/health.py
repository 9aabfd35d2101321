"""Whether the server serves: the standard health service, and what probes ask on `METRICS_PORT`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from functools import partial
from typing import Any

from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from faces.process.health import Health
from faces.store.client import RedisClient
from rest.health import readiness
from rest.publishing import PublisherPool

INTERVAL = 2.0  # seconds between looks
PATIENCE = 4.0  # seconds for the loop to answer; a probe waits for 5

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING


class Vitals:
    """Looks at Redis and RabbitMQ, and has the health service say whether both answer."""

    def __init__(self, redis: RedisClient, publishers: PublisherPool, service: str) -> None:
        self.servicer: Any = health.aio.HealthServicer()
        self._look = partial(readiness, redis, publishers)
        self._publishers = publishers
        self._services = ("", service)
        self._thread = ThreadPoolExecutor(1, "health")  # with a connection to RabbitMQ of its own

    async def begin(self) -> None:
        """Say that nothing has been looked at yet."""
        await self._say(NOT_SERVING)

    async def watch(self) -> None:
        """Look again and again, until cancelled; whoever no longer looks does not say that all is well."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                found = await loop.run_in_executor(self._thread, self._look)
                await self._say(SERVING if serves(found) else NOT_SERVING)
                await asyncio.sleep(INTERVAL)
        finally:
            await self._say(NOT_SERVING)

    async def stop(self) -> None:
        """Say that the server stops."""
        await self.servicer.enter_graceful_shutdown()
        self._thread.submit(self._publishers.close)
        self._thread.shutdown(wait=False)

    async def _say(self, status: int) -> None:
        for service in self._services:
            await self.servicer.set(service, status)


def serves(found: Health) -> bool:
    """Tell whether every method can be served: those that send pictures, and searches, need RabbitMQ."""
    return found.ok and found.fields["rabbitmq"] == "ready"


def alive(loop: asyncio.AbstractEventLoop) -> Health:
    """Ask, from another thread, whether the loop takes work."""
    asked = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
    try:
        asked.result(PATIENCE)
    except Late:
        return Health(False, {"state": "stuck"})
    return Health(True, {"state": "alive"})
