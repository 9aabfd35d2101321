"""What every picture leaves behind when it is done or has failed."""

from __future__ import annotations

from collections.abc import Mapping

from faces.store.client import Command
from faces.store.keys import ATTEMPTS, COUNTS, HOME, INFLIGHT, pending_key, status_key


def finishing(documents: Mapping[str, str], counter: str) -> list[Command]:
    """Commands that end pictures with their last status documents."""
    picture_ids = list(documents)
    return [
        (
            HOME,
            "MSET",
            *(word for picture_id in picture_ids for word in (status_key(picture_id), documents[picture_id])),
        ),
        (HOME, "HINCRBY", COUNTS, counter, len(picture_ids)),
        (HOME, "ZREM", INFLIGHT, *picture_ids),
        (HOME, "HDEL", ATTEMPTS, *picture_ids),
        (HOME, "DEL", *map(pending_key, picture_ids)),
    ]
