"""Sends one picture through a fleet that was just deployed, and erases it. Ends with 0 if everything worked.

    REST_URL=http://rest:5000 API_KEY=... python deploy/smoke.py

The picture is noise without a face, new each time. Standard library only; proxies are not asked.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
import zlib
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

SIDE = 64  # pixels
PATIENCE = 240.0  # seconds: the first worker may still be reading the index
ANSWER = 60.0  # seconds for an answer; an erasure looks through RabbitMQ's queues first
OPENER = build_opener(ProxyHandler({}))


def noise() -> bytes:
    """A PNG of random grey (https://www.w3.org/TR/png-3/)."""
    rows = b"".join(b"\0" + os.urandom(SIDE) for _ in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def ask(method: str, path: str, body: bytes | None = None) -> Any:
    """One request; the JSON of its answer."""
    key = os.environ.get("API_KEY", "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = Request(os.environ["REST_URL"] + path, body, headers, method=method)  # noqa: S310 -- the operator's own address
    with OPENER.open(request, timeout=ANSWER) as answer:
        return json.loads(answer.read() or b"null")


def process(picture: str) -> None:
    """Wait until a worker has processed the picture."""
    deadline = time.monotonic() + PATIENCE
    while (state := ask("GET", f"/status/{picture}")["state"]) != "done":
        if state == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"the picture is {state} after {PATIENCE:.0f} s at most: is a worker ready?")
        time.sleep(0.5)


def main() -> int:
    """Do each step and say so."""
    picture = ask("POST", f"/scan/image/smoke-{time.time_ns()}.png", noise())["hash"]
    print(f"sent     {picture}", flush=True)
    process(picture)
    print("processed", flush=True)
    if ask("GET", f"/match/{picture}") != []:
        raise RuntimeError("noise matches a face")
    print("asked for matches", flush=True)
    ask("DELETE", f"/v1/pictures/{picture}")
    print("erased: the fleet works")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HTTPError as error:
        sys.exit(f"smoke: {error.code} at {error.url}: {error.read().decode(errors='replace')[:500]}")
    except (OSError, RuntimeError) as error:
        sys.exit(f"smoke: {error}")
