"""What the worker and its engine's processes say to each other.

JSON and raw bytes, each message framed by `multiprocessing.connection`. A child may be compromised by a picture, so
nothing that comes from it is ever unpickled.

| from | message | then |
|---|---|---|
| worker | `{"pictures": n, "memory": bytes}` | n messages, the bytes of each picture; of none, a trial |
| child | `{"at": number}` | the picture now decoded and searched; null: all are being encoded |
| child | `{"fault": kind, "reason": ...}` | the batch failed: `memory` or `failed` |
| child | `{"results": [...], "stages": [...], "resident": bytes}` | one message: all encodings, then all crops |
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from multiprocessing.connection import Connection
from typing import Any

from faces.documents import to_json
from faces.errors import PictureError
from faces.process import pipes
from faces.store.keys import ENCODING_BYTES

CONTROL = struct.Struct("<cI")
"""What the worker asks a template, and its answer: a letter, and a pid or a status."""

MAX_DOCUMENT = 256 << 20  # bytes from a child; a picture with 1,000 faces and 68 landmarks takes 1 MB


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Faces of a picture: for the status document, encodings of the indexed ones, and a crop of each if kept."""

    faces: list[dict[str, Any]] = field(default_factory=list)
    encodings: tuple[bytes, ...] = ()
    crops: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A batch's results, the seconds of each stage, and the memory that the child has now, in bytes."""

    results: list[FoundFaces | PictureError]
    stages: list[tuple[str, float]]
    resident: int


def receive(connection: Connection) -> dict[str, Any]:
    """Receive a document from a child or its parent; raises as `faces.process.pipes.receive`."""
    return pipes.receive(connection, MAX_DOCUMENT)


def send_batch(connection: Connection, pictures: Sequence[bytes], memory: int) -> None:
    """Send pictures to a child, which may take `memory` bytes of data; 0: unlimited."""
    pipes.send(connection, {"pictures": len(pictures), "memory": memory})
    for picture in pictures:
        connection.send_bytes(picture)


def receive_batch(connection: Connection) -> tuple[list[bytes], int]:
    """Receive pictures, and how much memory they may take."""
    request = receive(connection)
    return [connection.recv_bytes() for _ in range(request["pictures"])], request["memory"]


def send_answer(connection: Connection, answer: Answer) -> None:
    """Send what was found."""
    results = [
        {"code": result.code, "reason": str(result)}
        if isinstance(result, PictureError)
        else {
            "faces": result.faces,
            "encodings": len(result.encodings),
            "crops": [len(crop) for crop in result.crops],
        }
        for result in answer.results
    ]
    document = {"results": results, "stages": answer.stages, "resident": answer.resident}
    connection.send_bytes(to_json(document).encode())
    found = [result for result in answer.results if isinstance(result, FoundFaces)]
    encodings = [encoding for result in found for encoding in result.encodings]
    connection.send_bytes(b"".join(encodings + [crop for result in found for crop in result.crops]))


def read_at(document: dict[str, Any], pictures: int) -> int | None:
    """Read which of so many pictures a child says it is at.

    Raises:
        ValueError: it was not given that one, and could blame another.
    """
    at = document["at"]
    if at is None or (isinstance(at, int) and 0 <= at < pictures):
        return at
    raise ValueError(f"at picture {at!r} of {pictures}")


def read_answer(document: dict[str, Any], attached: bytes, pictures: int) -> Answer:
    """Read what was found on so many pictures.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    listed = document["results"]
    if len(listed) != pictures:
        raise ValueError(f"{len(listed)} results for {pictures} pictures")
    found = [result for result in listed if "code" not in result]
    encodings = [ENCODING_BYTES] * sum(result["encodings"] for result in found)
    crops = [int(size) for result in found for size in result["crops"]]
    pieces = iter(_pieces(attached, [*encodings, *crops]))
    of_each = [list(islice(pieces, result["encodings"])) for result in found]
    results = iter(
        FoundFaces(result["faces"], tuple(own), tuple(islice(pieces, len(result["crops"]))))
        for result, own in zip(found, of_each, strict=True)
    )
    return Answer(
        [
            PictureError(result["reason"], code=result["code"]) if "code" in result else next(results)
            for result in listed
        ],
        [(name, seconds) for name, seconds in document["stages"]],
        document["resident"],
    )


def _pieces(attached: bytes, sizes: Sequence[int]) -> list[bytes]:
    if min(sizes, default=0) < 0 or sum(sizes) != len(attached):
        raise ValueError("what is attached does not match the faces")
    ends = list(accumulate(sizes))
    return [attached[end - size : end] for end, size in zip(ends, sizes, strict=True)]
