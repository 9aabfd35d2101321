"""A receiver of webhooks, written from the Standard Webhooks specification alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.servers.served import served

TOLERANCE = 300  # seconds between the message's time and now


class Receiver:
    """Takes messages and answers as told.

    Attributes:
        messages: those that were verified and taken, each with its `webhook-id` as `id`.
        forged: how many could not be verified.
        status: what is answered to verified messages.
    """

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.messages: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.forged = 0
        self.status = 204

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.messages]

    def verified(self, headers: Any, body: bytes) -> bool:
        number, when = headers["webhook-id"], headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = hmac.new(key, f"{number}.{when}.".encode() + body, hashlib.sha256).digest()
        given = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
        fresh = abs(time.time() - int(when)) < TOLERANCE
        return fresh and any(
            version == "v1" and hmac.compare_digest(base64.b64decode(value), expected)
            for version, value in given
        )


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not receiver.verified(self.headers, body):
                receiver.forged += 1
                self.send_response(401)
                self.end_headers()
                return
            message = {"id": self.headers["webhook-id"], **json.loads(body)}
            (receiver.messages if receiver.status < 300 else receiver.refused).append(message)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as address:
        receiver.url = f"{address}/hook"
        yield receiver
