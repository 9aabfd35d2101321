"""A Redis and a RabbitMQ of one's own, on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from faces.config import Settings
from local.process import free_port
from local.rabbitmq import RabbitServer
from local.redis import RedisServer


@contextmanager
def servers(folder: Path) -> Iterator[tuple[RedisServer, RabbitServer]]:
    """Run both for as long as the context lasts, their files in a folder."""
    redis = RedisServer(folder / "redis", free_port())
    rabbit = RabbitServer(folder / "rabbitmq", free_port(), free_port(), free_port())
    with ExitStack() as stack:
        for server in (redis, rabbit):
            server.start()
            stack.callback(server.stop)
        yield redis, rabbit


def leading_to(redis: RedisServer, rabbit: RabbitServer) -> Settings:
    """Settings that lead to both, and a free port for an HTTP server."""
    return Settings(
        redis_host="127.0.0.1",
        redis_port=redis.port,
        rabbitmq_host="127.0.0.1",
        rabbitmq_port=rabbit.port,
        rest_port=free_port(),
    )
