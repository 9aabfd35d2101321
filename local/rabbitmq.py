"""A private RabbitMQ node, from Debian's package by default, beside any other node on the machine."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import connect
from local.process import Process, listening

# The script itself, because the wrapper in /usr/sbin changes the user and reads the system's configuration.
SCRIPTS = "rabbitmq_server-*/sbin/rabbitmq-server"

STOP_TIMEOUT = 5.0  # seconds; the port mapper usually ends at once

# The data folder has this name, so it must not change with the port. Nodes of the same name can run side by side
# because each has its own port mapper.
NODE = "facefleet@localhost"


class RabbitServer:
    """A node with its data, cookie and logs in a folder, its three ports on loopback."""

    def __init__(self, folder: Path, port: int, dist_port: int, epmd_port: int) -> None:
        self.port = port
        self.process = Process("rabbitmq", folder)
        self._folder = folder
        self._dist_port = dist_port
        self._epmd_port = epmd_port

    def start(self) -> None:
        """Start the node and wait until it accepts clients (about 3 s)."""
        self._write_cookie()
        self._write_configuration()
        self.process.start([server_script(), "-noinput"], self._environ())
        if not self.process.started_since(self.answers, 60):
            raise RuntimeError(f"RabbitMQ did not start:\n{self.process.last_lines()}")

    def stop(self) -> None:
        """Stop the node and the port mapper it leaves behind."""
        self.process.stop()
        mapper = shutil.which("epmd")
        if mapper and self._epmd_port:
            command = [mapper, "-port", str(self._epmd_port), "-kill"]
            with suppress(subprocess.TimeoutExpired):  # another program holds the port and does not answer
                subprocess.run(command, capture_output=True, check=False, timeout=STOP_TIMEOUT)

    def ctl(self, *arguments: str) -> None:
        """Run `rabbitmqctl` on the node (about 2 s)."""
        self.tool("rabbitmqctl", *arguments).check_returncode()

    def tool(self, name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run one of the node's tools, such as `rabbitmq-upgrade` (about 2 s)."""
        command = [str(Path(server_script()).with_name(name)), "--node", NODE, *arguments]
        return subprocess.run(command, env=self._environ(), capture_output=True, check=False)

    def answers(self) -> bool:
        """Tell whether the node accepts clients."""
        if not listening(self.port):
            return False  # pika would take seconds to find out
        try:
            with closing(connect(replace(Settings(), rabbitmq_port=self.port, publish_timeout=5.0))):
                return True
        except BrokerError:
            return False

    def _write_cookie(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        cookie = self._folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)

    def _write_configuration(self) -> None:
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\ndisk_free_limit.absolute = 200MB\n"
        )
        (self._folder / "enabled_plugins").write_text("[].\n")

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_PID_FILE": str(self._folder / "node.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the node replaces the script, so the pid is the node's
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": str(self._folder / "erl_crash.dump"),  # by default in the current folder
        }


def server_script() -> str:
    """Return the node's start script: `LOCAL_RABBITMQ`, else that of Debian's package.

    Raises:
        RuntimeError: there is none.
    """
    if named := os.environ.get("LOCAL_RABBITMQ"):
        if not os.access(named, os.X_OK):
            raise RuntimeError(f"LOCAL_RABBITMQ is {named!r}: it must be an executable sbin/rabbitmq-server")
        return named
    found = sorted(str(path) for path in Path("/usr/lib/rabbitmq/lib").glob(SCRIPTS))
    if not found:
        raise RuntimeError("RabbitMQ is not installed: apt-get install rabbitmq-server")
    return found[-1]
