"""Which face of a picture is the person that it is labelled with: its only one. Anything else would be a guess."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from client.idle_timeout import IdleTimeout
from client.importing.layouts import Labelled, Left
from client.importing.stating import grouped_with
from client.sending import Picture
from client.terminal import bar
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.status import Status

PAUSE = 0.2  # seconds between looks at the groups
PIECE = 1000  # pictures looked up at once


@dataclass
class Chosen:
    """The faces of each person, `<hash>:<index>`, the names of each face's pictures, and what is left out."""

    faces: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    left: list[Left] = field(default_factory=list)


def choose(redis: RedisClient, labelled: Sequence[Labelled], pictures: Iterable[Picture]) -> Chosen:
    """Choose the face of each labelled picture that is done."""
    ended = {picture.name: picture for picture in pictures}
    statuses = dict(_statuses(redis, list({picture.hash for picture in ended.values() if picture.hash})))
    people = _people(labelled, ended)
    chosen = Chosen()
    for one in labelled:
        picture = ended[one.source.name]
        reason = _reason(picture, statuses.get(picture.hash or ""), people)
        if reason is not None:
            chosen.left.append(Left(picture.name, one.person, reason))
            continue
        face = f"{picture.hash}:0"
        chosen.names[face].append(picture.name)
        if face not in chosen.faces[one.person]:
            chosen.faces[one.person].append(face)
    return chosen


def wait_until_grouped(redis: RedisClient, faces: Iterable[str], idle_timeout: IdleTimeout) -> None:
    """Wait until faces are in groups, or no other one gets there before the timeout."""
    waiting = list(faces)
    idle_timeout.renew()
    with bar(len(waiting), "grouping") as progress:
        while waiting and idle_timeout.left:
            piece = waiting[:PIECE]
            found = zip(piece, grouped_with(redis, piece), strict=True)
            still = [face for face, person in found if person is None]
            if len(still) < len(piece):
                idle_timeout.renew()
                progress.update(len(piece) - len(still))
            else:
                time.sleep(PAUSE)
            waiting[:PIECE] = still


def _statuses(redis: RedisClient, hashes: Sequence[str]) -> Iterator[tuple[str, Status | None]]:
    for start in range(0, len(hashes), PIECE):
        piece = hashes[start : start + PIECE]
        yield from zip(piece, queries.statuses(redis, piece), strict=True)


def _people(labelled: Sequence[Labelled], pictures: Mapping[str, Picture]) -> dict[str, set[str]]:
    """The names that each picture's bytes are labelled with."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in labelled:
        found[pictures[one.source.name].hash or ""].add(one.person)
    return found


def _reason(picture: Picture, status: Status | None, people: Mapping[str, set[str]]) -> str | None:
    """Why nothing is stated about a picture; None if it has one face, and one person's name."""
    if picture.state in {"failed", "refused"}:
        return f"{picture.code}: {picture.reason}"
    if picture.state != "done" or status is None or status.state != "done":
        return "it is still being processed: import again later"
    if len(people[picture.hash or ""]) > 1:
        return f"the same picture is labelled {' and '.join(sorted(people[picture.hash or '']))}"
    return _ambiguous(status)


def _ambiguous(status: Status) -> str | None:
    if not status.faces:
        return "no face was found"
    if len(status.faces) > 1:
        return f"{len(status.faces)} faces were found: say which one with `facefleet people assign`"
    if not status.indexed:
        return f"its face is not compared with others: {status.faces[0].get('reason')}"
    return None
