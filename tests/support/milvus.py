"""Milvus's embedded form, as a server of the tests' own."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from local.process import Process, free_port


class MilvusServer:
    """A server on loopback with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = Process("milvus", folder)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        where = ("--data-dir", str(self._folder / "data"), "--port", str(self._port))
        command = (sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1", *where)
        self.process.start(command, os.environ)
        if not self.process.started_since(self._answers, 60):
            raise RuntimeError(f"Milvus did not start:\n{self.process.last_lines()}")

    def stop(self) -> None:
        """Stop the server."""
        self.process.stop()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False
