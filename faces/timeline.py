"""Who is seen in a video, and when, from the faces in its frames.

A frame stands for the time until the next one: whatever changes visibly has a frame of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BRIDGED = 2.0  # seconds for which somebody may turn away, or be missed, and still be seen without a break


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face in a frame, and whose it is.

    Attributes:
        person: id of the person or group.
        since, until: seconds for which the frame stands.
        picture_id: hash of the frame.
        face: number of the face in it.
        worth: how well the face can be seen; more is better.
    """

    person: str
    since: float
    until: float
    picture_id: str
    face: int
    worth: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """Somebody in a video: from when to when, in seconds, and the sighting that shows them best."""

    person: str
    spans: list[tuple[float, float]]
    best: Sighting

    @property
    def seconds(self) -> float:
        """How long they are seen in all."""
        return round(sum(until - since for since, until in self.spans), 3)


def timeline(sightings: Iterable[Sighting]) -> list[Appearance]:
    """Join the sightings of each person, in order of first appearance."""
    people: defaultdict[str, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        people[sighting.person].append(sighting)
    found = [
        Appearance(person, _joined(seen), max(seen, key=lambda sighting: sighting.worth))
        for person, seen in people.items()
    ]
    return sorted(found, key=lambda appearance: (appearance.spans[0], appearance.person))


def _joined(sightings: Sequence[Sighting]) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for since, until in sorted((sighting.since, sighting.until) for sighting in sightings):
        if spans and since <= spans[-1][1] + BRIDGED:
            spans[-1] = (spans[-1][0], max(spans[-1][1], until))
        else:
            spans.append((since, until))
    return spans
