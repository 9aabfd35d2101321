"""A small server that answers as it is told, to see how the client takes it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.support.servers.served import served

Answer = tuple[int, Any, dict[str, str]]


class Fleet:
    """Accepts every picture and has it done at the second question, or as `questions` says.

    `on[path]` is a list of answers given one after another before the usual one.
    """

    def __init__(self) -> None:
        self.on: dict[str, list[Answer]] = defaultdict(list)
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.pictures: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.asked: dict[str, int] = defaultdict(int)
        self.status: Callable[[str], dict[str, Any]] = lambda _: {"state": "done", "faces": [{}, {}]}
        self.questions = 2
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        with self._lock:
            self.requests.append(f"{method} {path}")
            if self.on[path]:
                return self.on[path].pop(0)
            if path.startswith("/scan/"):
                name = json.loads(body)["url"] if path == "/scan/url" else path.removeprefix("/scan/image/")
                return self._take(name, name.encode() if path == "/scan/url" else body)
            return self._usual(path, body)

    def _usual(self, path: str, body: bytes) -> Answer:
        if path == "/v1/images":
            return 202, {"items": [self._item(name, data) for name, data in _members(body)]}, {}
        if path == "/v1/statuses":
            return 200, {"statuses": [self._short(h) for h in json.loads(body)["hashes"]]}, {}
        if path.startswith("/status/"):
            return self._state(path.removeprefix("/status/"))
        if path.startswith("/match/"):
            return 200, [], {}
        return 200, {"service": "facefleet"}, {}

    def _take(self, name: str, data: bytes) -> Answer:
        picture = hashlib.sha256(data).hexdigest()
        known = picture in self.pictures
        self.pictures[picture], self.names[name] = data, picture
        return 200 if known else 202, {"hash": picture}, {}

    def _item(self, name: str, data: bytes) -> dict[str, Any]:
        """What becomes of a picture in an archive: what would become of it alone."""
        path = f"/scan/image/{name}"
        self.requests.append(f"POST {path}")
        status, document, _ = self.on[path].pop(0) if self.on[path] else self._take(name, data)
        return {"hash": document["hash"], "new": status == 202} if status < 300 else {"problem": document}

    def _state(self, picture: str) -> Answer:
        if picture not in self.pictures:
            return 404, {"hash": picture, "state": "unknown"}, {}
        self.asked[picture] += 1
        return (
            200,
            self.status(picture) if self.asked[picture] >= self.questions else {"state": "pending"},
            {},
        )

    def _short(self, picture: str) -> dict[str, Any]:
        _, status, _ = self._state(picture)
        faces = len(status.get("faces") or ()) if status["state"] == "done" else None
        return {**status, "hash": picture, "faces": faces}


def _members(archive: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]  # files


def problem(status: int, code: str, detail: str, **headers: str) -> Answer:
    return status, {"status": status, "code": code, "detail": detail}, headers


@contextmanager
def serving(fleet: Fleet) -> Iterator[str]:
    """Serve on a free port; give the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or the kernel waits 40 ms between them

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fleet.authorizations.append(self.headers.get("Authorization"))
            status, document, headers = fleet.answer(self.command, unquote(self.path), body)
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 -- the name that the library looks for

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as address:
        yield address
