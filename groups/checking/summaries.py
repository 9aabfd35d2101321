"""The summaries of groups against the encodings of their faces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from faces.store.client import RedisClient
from faces.store.keys import ENCODINGS
from faces.store.people.group_record import Face
from groups.clustering.summary import Summary, Vector
from groups.follower import Follower

CLOSE = 1e-4  # float32 centroids stay within this after thousands of merges


def check_summaries(redis: RedisClient, follower: Follower) -> Iterator[str]:
    """Each summary matches the faces of its group."""
    partition = follower.partition
    for group in sorted(partition.members.groups()):
        faces = partition.members.of_group(group)
        if group not in partition.table:
            yield f"group {group} has faces but no record"
            continue
        encodings = _encodings(redis, faces)
        if len(encodings) != len(faces):
            continue  # erased since
        evidence = sum(map(partition.members.evidence, faces))
        if not _close(partition.table[group], Summary.of(encodings, evidence)):
            yield f"the summary of group {group} does not match its {len(faces)} faces"
    for group in sorted(set(partition.table.numbers()) - set(partition.members.groups())):
        yield f"group {group} has no faces"


def _encodings(redis: RedisClient, faces: Sequence[Face]) -> Vector:
    """Encodings of faces, (n, 128), without those erased since."""
    found = redis.ask(*((ENCODINGS, "LINDEX", face.picture.hex(), face.place) for face in faces))
    joined = b"".join(encoding for encoding in found if encoding is not None)
    return np.frombuffer(joined, "<f4").reshape(-1, 128)


def _close(one: Summary, other: Summary) -> bool:
    return (
        one.count == other.count
        and abs(one.evidence - other.evidence) < CLOSE * one.count
        and abs(one.spread - other.spread) < CLOSE
        and bool(np.abs(one.centroid - other.centroid).max() < CLOSE)
    )
