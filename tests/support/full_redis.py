"""A Redis with a small memory limit, filled by real commits until it takes no more."""

from __future__ import annotations

from redis import Redis

from faces.config import Settings


def limit_memory(settings: Settings, more: int) -> None:
    """Set the limit to what Redis uses now and so many bytes more; 0: no limit."""
    with Redis(settings.redis_host, settings.redis_port) as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used + more if more else 0)
