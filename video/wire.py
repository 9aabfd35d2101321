"""What an extraction and its child say to each other.

JSON and raw bytes, each message framed by `multiprocessing.connection`. A child may be compromised by a video, so
nothing that comes from it is ever unpickled.

| from | message | then |
|---|---|---|
| parent | `{"size": bytes of the file, "rate", "change", "start", "max_seconds", "max_pixels", "memory"}` | |
| child | `{"read": [position, size]}` | the parent sends as many bytes of the file, fewer at its end |
| child | `{"opened": {"seconds", "width", "height"}}` | |
| child | `{"reached": seconds}` | |
| child | `{"frame": seconds}` | one message, the frame as a JPEG |
| child | `{"ended": {"seconds", "damaged"}}` | nothing more |
| child | `{"error": code, "reason": text}` | nothing more |
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

from faces.process import pipes

LARGEST_READ = 1 << 20  # bytes at once
LARGEST_DOCUMENT = 64 << 10
LARGEST_FRAME = 256 << 20  # bytes of a JPEG: far above any within the limit on pixels


def receive(connection: Connection) -> dict[str, Any]:
    """Receive a document; raises as `faces.process.pipes.receive`."""
    return pipes.receive(connection, LARGEST_DOCUMENT)
