"""The faces in groups against the journal and the encodings."""

from __future__ import annotations

from collections.abc import Iterator

from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import ENCODINGS
from groups.follower import Follower
from groups.saved.reading import BATCH


def check_membership(redis: RedisClient, follower: Follower) -> Iterator[str]:
    """Exactly the faces committed up to the saved position are in groups."""
    lines = inspection.journal_lines(redis)
    reached = lines[: follower.reached.place.position]
    since = {line[1:] for line in lines[len(reached) :]}
    last = {line[1:]: line[:1] for line in reached}
    alive = sorted(digest for digest, sign in last.items() if sign == b"+" and digest not in since)
    for start in range(0, len(alive), BATCH):
        piece = alive[start : start + BATCH]
        counts = redis.ask(*((ENCODINGS, "LLEN", digest.hex()) for digest in piece))
        for digest, count in zip(piece, counts, strict=True):
            grouped = len(follower.partition.members.of_picture(digest))
            if grouped != count:
                yield f"picture {digest.hex()} has {count} faces, of which {grouped} are in groups"
    for digest in sorted(set(follower.partition.members.pictures()) - set(alive) - since):
        yield f"picture {digest.hex()} was erased but is in groups"
