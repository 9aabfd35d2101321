"""Limits that only hold together: what one part of the topology is set to follows from what another is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.support.containers.manifests import Manifests, Object, values

GIB = 1 << 30
FREE = 1_000_000_000  # bytes of RabbitMQ's volume that must stay free (`disk_free_limit`)


def settings(rendered: Manifests) -> dict[str, str]:
    """The settings of our processes."""
    (found,) = (o["data"] for o in rendered.of("ConfigMap") if o["metadata"]["name"].startswith("settings-"))
    return dict(found)


def claims(rendered: Manifests) -> Iterator[Object]:
    """Claims, those that a StatefulSet makes with its name included."""
    yield from rendered.of("PersistentVolumeClaim")
    for found in rendered.of("StatefulSet"):
        for template in found["spec"]["volumeClaimTemplates"]:
            yield {**template, "metadata": found["metadata"]}


def files(rendered: Manifests, name: str) -> dict[str, str]:
    """The files that a ConfigMap holds."""
    (found,) = (
        o["data"] for o in rendered.of("ConfigMap") if re.fullmatch(rf"{name}-\w+", o["metadata"]["name"])
    )
    return dict(found)


def option(text: str, name: str) -> int:
    """The number that is given to an option."""
    (value,) = re.findall(rf"{name}(?: facefleet)? (\d+)", text)
    return int(value)


def test_the_queue_is_full_before_its_disk(rendered: Manifests) -> None:
    """A quorum queue keeps a message in its log and in a segment."""
    most = int(settings(rendered)["QUEUE_MAX_BYTES"])
    sizes = [
        str(s) for c in claims(rendered) if c["metadata"]["name"] == "rabbitmq" for s in values(c, "storage")
    ]
    assert sizes
    for size in sizes:
        assert int(size.removesuffix("Gi")) * GIB >= 2 * most + FREE


def test_a_primary_that_is_cut_off_refuses_writes_before_another_is_chosen(rendered: Manifests) -> None:
    if rendered.named("StatefulSet", "redis") is None:
        assert settings(rendered).get("REDIS_REPLICAS", "0") == "0", "there is none to wait for"
        return
    start = files(rendered, "redis")["start"]
    assert 1000 * option(start, "min-replicas-max-lag") < option(start, "sentinel down-after-milliseconds")
    replicas = int(settings(rendered)["REDIS_REPLICAS"])
    assert 1 <= replicas == option(start, "min-replicas-to-write") < 3


def test_connections_go_to_a_primary_that_has_a_replica(rendered: Manifests) -> None:
    if rendered.named("StatefulSet", "redis") is not None:
        proxy = files(rendered, "redis-proxy")["haproxy.cfg"]
        assert "use_backend replicated if { nbsrv(replicated) gt 0 }" in proxy
        assert "min_slaves_good_slaves:[1-9]" in proxy


def test_redis_stops_taking_writes_before_its_container_is_killed(rendered: Manifests) -> None:
    start = files(rendered, "redis")["start"]
    (share,) = re.findall(r"maxmemory \$\{REDIS_MAXMEMORY:-\$\(\(.* / 100 \* (\d+)\)\)\}", start)
    assert 50 <= int(share) <= 75, "rewriting the file takes a copy of what changes meanwhile"
    assert "maxmemory-policy noeviction" in files(rendered, "redis")["redis.conf"]
