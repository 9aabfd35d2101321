"""The production topology as processes on one machine, each node with an address of its own.

Three RabbitMQ nodes with quorum queues, three Redis servers with a Sentinel beside each, and HAProxy before them,
from Debian's packages and with the configuration files of `k8s/`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from redis import Redis, RedisError

from benchmarks.system.fleet import READY, Fleet, kept, signal_group
from benchmarks.system.network import NameServer, Node
from faces.config import Settings
from faces.store.client import RedisClient
from local.process import ROOT, Process, free_port, listening, until
from local.rabbitmq import server_script

DOMAIN = "facefleet.svc.cluster.local"
COUNT = 3
REDIS = {f"redis-{n}": f"10.77.0.{1 + n}" for n in range(COUNT)}
RABBIT = {f"rabbitmq-{n}": f"10.77.0.{11 + n}" for n in range(COUNT)}
REDIS_PROXY = "10.77.0.21"
PASSWORD = secrets.token_hex(16)
PRODUCTION = ROOT / "k8s" / "overlays" / "production"
BASE = ROOT / "k8s" / "base"
NEWER = (
    "quorum_queue.continuous_membership_reconciliation",
)  # settings that Debian's RabbitMQ does not know
MENDED = 60.0  # seconds


def names() -> list[tuple[str, str]]:
    """Return the names of the network with their addresses, as Kubernetes has them; `rabbitmq` has three."""
    found = [("redis", REDIS_PROXY), *(("rabbitmq", address) for address in RABBIT.values())]
    for service, nodes in (("redis-nodes", REDIS), ("rabbitmq-nodes", RABBIT)):
        for node, address in nodes.items():
            found += [(f"{node}.{service}", address), (f"{node}.{service}.{DOMAIN}", address)]
    return found


class RedisNode:
    """A Redis server and the Sentinel beside it."""

    def __init__(self, name: str, node: Node, folder: Path) -> None:
        self.node = node
        self._name = name
        self._folder = folder / name
        self.processes = [Process(part, self._folder) for part in ("redis", "sentinel")]

    def start(self) -> None:
        """Start both as the containers of the StatefulSet do."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "redis.conf"
        text = (BASE / "redis" / "redis.conf").read_text()
        configuration.write_text(
            text.replace("dir /data\n", "")
        )  # the container's; DATA says where it is here
        environ = {
            "PATH": os.environ["PATH"],
            "ME": f"{self._name}.redis-nodes",
            "HOSTS": " ".join(f"{name}.redis-nodes" for name in REDIS),
            "DATA": str(self._folder.absolute()),
            "CONFIGURATION": str(configuration.absolute()),
            "REDIS_PASSWORD": PASSWORD,
        }
        for process in self.processes:
            if process.ended():
                script = ["sh", str(PRODUCTION / "redis" / "start"), process.name]
                process.start(self.node.command(script), environ)

    def role(self) -> tuple[str, int]:
        """Return the role of the server and how many replicas it sees; empty if it does not answer."""
        with suppress(RedisError), Redis(self.node.address, password=PASSWORD, socket_timeout=1) as client:
            found = client.info("replication")
            online = [found.get(f"slave{n}", {}).get("state") == "online" for n in range(COUNT)]
            linked = found.get("master_link_status") == "up"
            return str(found["role"]), sum(online) if found["role"] == "master" else int(linked)
        return "", 0


class RabbitNode:
    """A RabbitMQ node of the cluster."""

    def __init__(self, name: str, node: Node, folder: Path) -> None:
        self.node = node
        self.name = f"rabbit@{name}.rabbitmq-nodes"
        self._folder = folder / name
        self.processes = [Process("rabbitmq", self._folder)]

    def start(self) -> None:
        """Start the node."""
        self._folder.mkdir(parents=True, exist_ok=True)
        cookie = self._folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(PASSWORD)
            cookie.chmod(0o400)
        files = (BASE / "rabbitmq" / "rabbitmq.conf", PRODUCTION / "rabbitmq" / "cluster.conf")
        lines = [line for file in files for line in file.read_text().splitlines()]
        known = [line for line in lines if not line.startswith(NEWER)]
        (self._folder / "rabbitmq.conf").write_text("\n".join([*known, ""]))
        (self._folder / "enabled_plugins").write_text("[].\n")
        self.processes[0].start(self.node.command([server_script(), "-noinput"]), self._environ())

    def answers(self) -> bool:
        """Tell whether the node accepts connections."""
        return listening(5672, self.node.address)

    def leader(self, queue: str) -> str:
        """Return the node that leads a queue; empty if this node does not tell (about 2 s)."""
        ctl = str(Path(server_script()).with_name("rabbitmqctl"))
        command = [ctl, "--quiet", "--longnames", "--node", self.name, "--timeout", "10"]
        listing = [*command, "list_queues", "name", "leader"]
        with suppress(subprocess.SubprocessError):
            environ = self._environ()
            ended = subprocess.run(
                self.node.command(listing),
                env=environ,
                capture_output=True,
                text=True,
                timeout=15,
                check=True,
            )
            rows = (line.split() for line in ended.stdout.splitlines())
            return next((row[1] for row in rows if row[:1] == [queue] and len(row) > 1), "")
        return ""

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self._folder.absolute()),
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DEFAULT_USER": "facefleet",
            "RABBITMQ_DEFAULT_PASS": PASSWORD,
            "RABBITMQ_MNESIA_BASE": str(self._folder.absolute() / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder.absolute() / "log"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder.absolute() / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._folder.absolute() / "rabbitmq.conf"),
            "RABBITMQ_PID_FILE": str(self._folder.absolute() / "node.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder.absolute() / "enabled_plugins"),
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_CRASH_DUMP": str(self._folder.absolute() / "erl_crash.dump"),
        }


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


def freeze(node: RedisNode | RabbitNode) -> None:
    """Stop a node's processes without ending them."""
    for process in node.processes:
        signal_group(process, signal.SIGSTOP)


def thaw(node: RedisNode | RabbitNode) -> None:
    """Let a frozen node go on."""
    for process in node.processes:
        signal_group(process, signal.SIGCONT)


def kill(node: RedisNode | RabbitNode) -> None:
    """Kill a node's processes."""
    for process in node.processes:
        signal_group(process, signal.SIGKILL)
        process.kill()
