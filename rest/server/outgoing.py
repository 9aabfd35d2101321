"""An answer on its way out: its thread is free once it is written, however slowly the client reads."""

from __future__ import annotations

import socket
import tempfile
from typing import Any, BinaryIO

IN_MEMORY = 64 << 10  # bytes of an answer kept in memory, more in a temporary file
PIECE = 256 << 10


class Outgoing:
    """Stands for a connection's socket while gunicorn writes an answer to it.

    What the kernel does not take at once is kept; gunicorn's loop sends it with `send_more`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._head: bytes | None = None  # what came first; b"" once it is sent
        self._kept = tempfile.SpooledTemporaryFile[bytes](IN_MEMORY)
        self._sent = 0
        self.pending = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sendall(self, data: bytes) -> None:
        """Send what can be sent without waiting, and keep the rest; the head goes with what comes next."""
        if self._head is None:
            self._head = data
            return
        data, self._head = self._head + data, b""
        sent = 0 if self.pending else self._send(data)
        if sent < len(data):
            self._kept.seek(0, 2)
            self._kept.write(memoryview(data)[sent:])
            self.pending += len(data) - sent

    def flush(self) -> None:
        """Send the head, if nothing has come after it."""
        if self._head:
            self.sendall(b"")

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> int:
        """Send part of a file as `sendall` does."""
        file.seek(offset)
        left = count
        total = 0
        while data := file.read(PIECE if left is None else min(PIECE, left)):
            self.sendall(data)
            total += len(data)
            left = None if left is None else left - len(data)
        return total

    def send_more(self) -> None:
        """Send more of what was kept, without waiting.

        Raises:
            OSError: the client has gone.
        """
        self._kept.seek(self._sent)
        sent = self._send(self._kept.read(PIECE))
        self._sent += sent
        self.pending -= sent

    def close(self) -> None:
        """Forget what was kept."""
        self._kept.close()

    def _send(self, data: bytes) -> int:
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
