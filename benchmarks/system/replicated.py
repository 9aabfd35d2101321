"""The production topology as processes on one machine, each node with an address of its own.

Three RabbitMQ nodes with quorum queues, three Redis servers with a Sentinel beside each, and HAProxy before them,
from Debian's packages and with the configuration files of `k8s/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.system.fleet import READY, Fleet, kept
from benchmarks.system.network import NameServer, Node
from benchmarks.system.nodes import COUNT, PASSWORD, PRODUCTION, RABBIT, REDIS, RabbitNode, RedisNode
from faces.config import Settings
from faces.store.client import RedisClient
from local.process import Process, free_port, listening, until

DOMAIN = "facefleet.svc.cluster.local"
REDIS_PROXY = "10.77.0.21"
MENDED = 60.0  # seconds


def names() -> list[tuple[str, str]]:
    """Return the names of the network with their addresses, as Kubernetes has them; `rabbitmq` has three."""
    found = [("redis", REDIS_PROXY), *(("rabbitmq", address) for address in RABBIT.values())]
    for service, nodes in (("redis-nodes", REDIS), ("rabbitmq-nodes", RABBIT)):
        for node, address in nodes.items():
            found += [(f"{node}.{service}", address), (f"{node}.{service}.{DOMAIN}", address)]
    return found


class Cluster:
    """All nodes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._numbers = iter(range(100))
        self._stack = stack
        self.redis = [RedisNode(name, self._node(address), folder) for name, address in REDIS.items()]
        self.rabbit = [RabbitNode(name, self._node(address), folder) for name, address in RABBIT.items()]
        self._proxy, self._proxy_node = Process("haproxy", folder), self._node(REDIS_PROXY)
        for process in (self._proxy, *(p for node in self.nodes for p in node.processes)):
            stack.callback(process.kill)

    def start(self) -> None:
        """Start all nodes and wait until they are one cluster."""
        NameServer(dict(names()))
        for node in self.nodes:
            node.start()
        configuration = str(PRODUCTION / "redis" / "haproxy.cfg")
        command = ["haproxy", "-W", "-db", "-f", configuration]
        environ = {"PATH": os.environ["PATH"] + ":/usr/sbin", "REDIS_PASSWORD": PASSWORD}
        environ |= {"POD_NAMESPACE": "facefleet", "CLUSTER_DOMAIN": "cluster.local"}
        self._proxy.start(self._proxy_node.command(command), environ)
        if not until(self.whole, 2 * MENDED, 0.3):
            logs = [p.last_lines() for node in self.nodes for p in node.processes]
            raise SystemExit("the cluster did not start:\n" + "\n".join([self._proxy.last_lines(), *logs]))

    @property
    def nodes(self) -> list[RedisNode | RabbitNode]:
        """Return all nodes of Redis and RabbitMQ."""
        return [*self.redis, *self.rabbit]

    def whole(self) -> bool:
        """Tell whether every node is there and Redis's replicas follow one primary."""
        roles = sorted(node.role() for node in self.redis)
        linked = roles == [("master", COUNT - 1), *[("slave", 1)] * (COUNT - 1)]
        return linked and listening(6379, REDIS_PROXY) and all(node.answers() for node in self.rabbit)

    def primary(self) -> RedisNode | None:
        """Return the Redis node that is the primary."""
        return next((node for node in self.redis if node.role()[0] == "master"), None)

    def leader(self, queue: str) -> RabbitNode | None:
        """Return the RabbitMQ node that leads a queue."""
        asked = next((node for node in self.rabbit if node.answers()), None)
        name = asked.leader(queue) if asked else ""
        return next((node for node in self.rabbit if node.name == name), None)

    def _node(self, address: str) -> Node:
        node = Node(next(self._numbers), address)
        self._stack.callback(node.close)
        return node


@contextmanager
def running(folder: Path, workers: int, **variables: str) -> Iterator[tuple[Fleet, Cluster]]:
    """Run the topology with a server and workers in the private network; see `benchmarks.system.network.enter`."""
    if shutil.which("redis-server") is None:
        raise SystemExit(
            "Redis, RabbitMQ and HAProxy are needed: apt-get install redis-server rabbitmq-server haproxy"
        )
    with ExitStack() as stack:
        cluster = Cluster(folder, stack)
        cluster.start()
        settings = Settings(
            redis_host="redis",
            redis_password=PASSWORD,
            redis_replicas=1,
            rabbitmq_host="rabbitmq",
            rabbitmq_user="facefleet",
            rabbitmq_password=PASSWORD,
            rest_port=free_port(),
        )
        redis = RedisClient(settings)
        stack.callback(redis.close)
        rest, *working = [
            Process(n, folder) for n in ("rest-0", *(f"worker-{w + 1}" for w in range(workers)))
        ]
        fleet = Fleet(settings=settings, redis=redis, rest=rest, workers=working)
        environ = {
            "REDIS_HOST": settings.redis_host,
            "REDIS_PASSWORD": PASSWORD,
            "REDIS_REPLICAS": str(settings.redis_replicas),
            "RABBITMQ_HOST": settings.rabbitmq_host,
            "RABBITMQ_USER": settings.rabbitmq_user,
            "RABBITMQ_PASSWORD": PASSWORD,
            "REST_HOST": "127.0.0.1",
            "REST_PORT": str(settings.rest_port),
            "LOG_LEVEL": "warning",
        }
        stack.enter_context(kept(fleet, {**os.environ, **environ, **variables}))
        if not until(lambda: listening(settings.rest_port), READY):
            raise SystemExit(f"the server did not start:\n{rest.last_lines()}")
        yield fleet, cluster
