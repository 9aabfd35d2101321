"""A Redis with a small memory limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from faces.config import Settings

BALLAST = 16 << 20  # bytes; beside it, what connections that come and go take makes no difference


def limit_memory(settings: Settings, more: int) -> None:
    """Set the limit to what Redis uses now and so many bytes more; 0: no limit."""
    with Redis(settings.redis_host, settings.redis_port) as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used + more if more else 0)


@contextmanager
def nearly_full(settings: Settings) -> Iterator[None]:
    """Have Redis use 95% of its limit."""
    with Redis(settings.redis_host, settings.redis_port) as client:
        client.set("ballast", bytes(BALLAST))
    limit_memory(settings, BALLAST // 19)
    try:
        yield
    finally:
        limit_memory(settings, 0)
