"""A snapshot of Redis, taken and restored by the script that the manifests run, on Debian's server."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from local.process import free_port, until
from local.redis import RedisServer
from tests.conftest import missing
from tests.support.servers.debian_redis import debian_server

SCRIPT = Path(__file__).parents[2] / "k8s/components/backup/backup"
DATABASES = range(5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    binary = debian_server()
    if binary is None:
        missing("Debian's redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"), free_port(), binary)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def filled(server: RedisServer) -> RedisServer:
    """Each kind of value that we keep, in every database."""
    source = random.Random(16)
    with Redis(port=server.port) as client:
        client.config_set("min-replicas-to-write", 0)
    for number in DATABASES:
        with Redis(port=server.port, db=number) as client:
            client.flushdb()
            client.set("name", "hash")
            client.sadd("set", *(source.randbytes(32) for _ in range(500)))
            client.rpush("encodings", *(source.randbytes(512) for _ in range(20)))
            client.zadd("in flight", {str(n): n / 7 for n in range(300)})
            client.hset("counts", mapping={f"field {n}": n for n in range(200)})
            client.xadd("events", {"picture": "one"}, id="5-1")
            client.set("expires", "soon", ex=100_000 + number)
    return server


def backup(
    server: RedisServer, folder: Path, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(server.port),
        "BACKUPS": str(folder),
        **variables,
    }
    return subprocess.run(
        ["sh", SCRIPT, *words], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def content(server: RedisServer) -> dict[tuple[int, bytes], tuple[object, bool]]:
    """Every key of every database, its value, and whether it expires."""
    found: dict[tuple[int, bytes], tuple[object, bool]] = {}
    for number in DATABASES:
        with Redis(port=server.port, db=number) as client:
            for key in client.scan_iter():
                found[number, key] = value(client, key), client.ttl(key) > 0
    return found


def value(client: Redis, key: bytes) -> object:
    kind = client.type(key)
    if kind == b"string":
        return client.get(key)
    if kind == b"set":
        return client.smembers(key)
    if kind == b"list":
        return client.lrange(key, 0, -1)
    if kind == b"zset":
        return client.zrange(key, 0, -1, withscores=True)
    return client.hgetall(key) if kind == b"hash" else client.xrange(key)


def test_what_is_restored_is_what_was_saved(filled: RedisServer, tmp_path: Path) -> None:
    before = content(filled)
    saved = backup(filled, tmp_path, "save")
    assert saved.returncode == 0, saved.stderr
    with Redis(port=filled.port, db=3) as client:
        client.delete("encodings")
        client.set("later", "than the snapshot")
    restored = backup(filled, tmp_path, "restore")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert content(filled) == before
    assert len(before) == 7 * len(DATABASES)


def test_the_newest_are_kept(filled: RedisServer, tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        (tmp_path / f"facefleet-202601{day}T021700Z.rdb").write_bytes(b"old")
    assert backup(filled, tmp_path, "save", KEEP="2").returncode == 0
    kept = sorted(path.name for path in tmp_path.glob("*.rdb"))
    assert len(kept) == 2
    assert kept[0] == "facefleet-20260103T021700Z.rdb"


def test_a_damaged_snapshot_restores_nothing(filled: RedisServer, tmp_path: Path) -> None:
    before = content(filled)
    (tmp_path / "facefleet-20260101T021700Z.rdb").write_bytes(b"REDIS0010 and then nonsense")
    refused = backup(filled, tmp_path, "restore")
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert content(filled) == before


def test_a_restore_that_fails_leaves_the_server_as_strict_as_it_was(
    filled: RedisServer, tmp_path: Path
) -> None:
    """Else it would take writes that no replica has, until it is started again."""
    assert backup(filled, tmp_path, "save").returncode == 0
    with Redis(port=filled.port, decode_responses=True) as client:
        before = client.config_get("maxmemory", "min-replicas-to-write")
        try:
            client.config_set("maxmemory", 1)
            client.config_set("min-replicas-to-write", 1)
            failed = backup(filled, tmp_path, "restore")
            assert client.config_get("min-replicas-to-write") == {"min-replicas-to-write": "1"}
        finally:
            for name, value in before.items():
                client.config_set(name, value)
    assert failed.returncode == 1
    assert "OOM" in failed.stdout + failed.stderr


def test_a_restore_changes_nothing_while_a_proxy_still_closes_connections(
    filled: RedisServer, tmp_path: Path
) -> None:
    """HAProxy does so once a primary no longer tells of its replicas: some seconds after they need not be there."""
    assert backup(filled, tmp_path, "save").returncode == 0
    with Redis(port=filled.port) as client, ThreadPoolExecutor() as beside:
        client.set("later", "than the snapshot")
        client.config_set("min-replicas-to-write", 1)
        restoring = beside.submit(backup, filled, tmp_path, "restore")
        assert until(lambda: client.config_get("min-replicas-to-write")["min-replicas-to-write"] == "0", 60)
        assert not until(lambda: not client.exists("later"), 6)
        assert restoring.result().returncode == 0, restoring.result().stderr
        assert not client.exists("later")


def test_without_a_snapshot_nothing_is_touched(filled: RedisServer, tmp_path: Path) -> None:
    before = content(filled)
    refused = backup(filled, tmp_path, "restore")
    assert refused.returncode == 1
    assert "no snapshot" in refused.stderr
    assert content(filled) == before
