"""The nodes of the production topology: a Redis with its Sentinel, a RabbitMQ; and what stops them.

They run from Debian's packages, with the configuration files of `k8s/`.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from redis import Redis, RedisError

from benchmarks.system.fleet import signal_group
from benchmarks.system.network import Node
from local.process import ROOT, Process, listening
from local.rabbitmq import server_script

COUNT = 3
REDIS = {f"redis-{n}": f"10.77.0.{1 + n}" for n in range(COUNT)}
RABBIT = {f"rabbitmq-{n}": f"10.77.0.{11 + n}" for n in range(COUNT)}
PASSWORD = secrets.token_hex(16)
PRODUCTION = ROOT / "k8s" / "overlays" / "production"
BASE = ROOT / "k8s" / "base"
NEWER = (
    "quorum_queue.continuous_membership_reconciliation",
)  # settings that Debian's RabbitMQ does not know


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
