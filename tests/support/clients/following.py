"""Those who follow events: over server-sent events, as a browser does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any

from local.process import until


class Follower:
    """Follows `/v1/events` on a thread, and comes again with the last id whenever the connection breaks."""

    def __init__(self, port: int, query: str = "") -> None:
        self.events: list[dict[str, Any]] = []
        self.connections = 0
        self.last_id = ""
        self._port = port
        self._query = query
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Follower:
        self._thread.start()
        assert until(lambda: bool(self.last_id), 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    def has(self, holds: Callable[[list[dict[str, Any]]], bool], seconds: float = 30) -> bool:
        return until(lambda: holds(self.events), seconds)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._follow()
            except (OSError, HTTPException):
                time.sleep(0.1)

    def _follow(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=1)
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        try:
            connection.request("GET", f"/v1/events{self._query}", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                return
            self.connections += 1
            for event in _events(answer, self._closing):
                self.last_id = event.get("id", self.last_id)
                if "data" in event:
                    self.events.append(json.loads(event["data"]))
        finally:
            connection.close()


def _events(answer: Any, closing: threading.Event) -> Iterator[dict[str, str]]:
    """Events as they come, each its fields; HTML Living Standard, section 9.2.6."""
    event: dict[str, str] = {}
    raw = b""
    while not closing.is_set():
        try:
            piece = answer.read1(65536)
        except TimeoutError:
            continue
        if not piece:
            return
        *lines, raw = (raw + piece).split(b"\n")
        for line in lines:
            name, _, value = line.decode().partition(": ")
            if line:
                event[name] = value
            elif event:
                yield event
                event = {}
