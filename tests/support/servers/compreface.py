"""A server that answers as CompreFace's documentation (docs/Rest-API-description.md) says it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.servers.served import served

FACES = "/api/v1/recognition/faces"


class Collection:
    """A face collection: pictures by subject and image id. `failures` are statuses answered first."""

    def __init__(
        self, key: str, examples: Mapping[tuple[str, str], bytes], *, largest_page: int = 20
    ) -> None:
        self.key = key
        self.examples = dict(examples)
        self.largest_page = largest_page
        self.requests: list[str] = []
        self.failures: list[int] = []

    def answer(self, path: str, key: str | None) -> tuple[int, bytes]:
        self.requests.append(path)
        if self.failures:
            return self.failures.pop(0), b"{}"
        if key != self.key:
            return 401, json.dumps({"message": "API key is not valid", "code": 26}).encode()
        parts = urlsplit(path)
        if parts.path == FACES:
            query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
            return 200, json.dumps(self._page(query.get("page", 0), query.get("size", 20))).encode()
        for (_, image_id), content in self.examples.items():
            if parts.path == f"{FACES}/{image_id}/img":
                return 200, content
        return 404, b"{}"

    def _page(self, page: int, size: int) -> dict[str, Any]:
        least = min(size, self.largest_page)
        every = [{"image_id": image_id, "subject": subject} for subject, image_id in self.examples]
        return {
            "faces": every[page * least : (page + 1) * least],
            "page_number": page,
            "page_size": size,
            "total_pages": -(-len(every) // least),
            "total_elements": len(every),
        }


@contextmanager
def serving(collection: Collection) -> Iterator[str]:
    """Serve on a free port; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = collection.answer(self.path, self.headers.get("x-api-key"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as address:
        yield address
