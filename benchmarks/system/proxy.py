"""A TCP proxy that does to connections what networks do: delays, stalls, cuts, also in the middle of a message."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Self

PIECE = 65536  # bytes read at once
LOOK = 0.05  # seconds between looks at whether a stall is over


class Proxy:
    """Listens on a port of loopback and passes everything on to another. Each connection has two threads."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: set[_Pair] = set()
        self.delay = 0.0  # seconds added to each piece, in both directions
        self.stalled = False  # nothing passes, and nobody is told
        self.refusing = False  # new connections are closed at once
        self._fatal: bytes | None = None
        self._lost: bytes | None = None
        self._passed_on = True
        self.cuts = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection."""
        for pair in list(self._pairs):
            pair.cut()

    def cut_once_at(self, words: bytes, *, passed_on: bool) -> None:
        """Cut the connection whose client next sends these bytes.

        Args:
            words: found within one piece as it was read.
            passed_on: the server still gets the piece, and only its reply is lost; else it gets the half of it
                that ends with these bytes.
        """
        self._fatal, self._passed_on = words, passed_on

    def lose_once(self, words: bytes) -> None:
        """Lose the next piece that has these bytes, in either direction; the connection lives on."""
        self._lost = words

    def loses(self, piece: bytes) -> bool:
        """Tell whether a piece goes no further."""
        if self._lost is None or self._lost not in piece:
            return False
        self._lost = None
        return True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=[client], daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        if self.refusing:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        pair = _Pair(self, client, server)
        self._pairs.add(pair)
        pair.run()
        self._pairs.discard(pair)

    def passes(self, piece: bytes) -> tuple[bytes, bool]:
        """What of a client's piece goes on to the server, and whether the connection lives on after it."""
        words = self._fatal
        if words is None or words not in piece:
            return piece, True
        self._fatal = None
        self.cuts += 1
        return (piece if self._passed_on else piece[: piece.index(words) + len(words)]), False


class _Pair:
    """A client's connection and ours to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server

    def run(self) -> None:
        back = threading.Thread(target=self._pass, args=[self._server, self._client], daemon=True)
        back.start()
        self._pass(self._client, self._server)
        back.join()
        self._client.close()
        self._server.close()

    def cut(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                time.sleep(self._proxy.delay)
                while self._proxy.stalled:
                    time.sleep(LOOK)
                if self._proxy.loses(piece):
                    continue
                goes_on, lives = self._proxy.passes(piece) if source is self._client else (piece, True)
                if not lives:
                    self._lose_reply()
                sink.sendall(goes_on)
                if not lives:
                    break
        self.cut()

    def _lose_reply(self) -> None:
        """Close the way back to the client first: the reply must not be faster than the cut."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
