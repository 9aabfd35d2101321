"""Provenance-up people whose faces are as near and as far as those of dlib's model are, roughly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from faces.store.people.group_record import Face
from groups.answering.curation import Curation
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Partition
from groups.clustering.rule import Rule
from groups.clustering.summary import Vector
from groups.statements.constraints import Constraints
from groups.statements.statement_log import StatementLog


def picture(number: int) -> bytes:
    """The digest of a picture."""
    return hashlib.sha256(f"picture {number}".encode()).digest()


def face(person: int, number: int, spread: float = 0.3) -> Vector:
    """A face: faces of one person are about `spread * sqrt(2)` apart, people 0.8."""
    random = np.random.default_rng([person, number])
    centre = np.random.default_rng(person).normal(size=128)
    noise = random.normal(size=128)
    made = 0.56 * centre / np.linalg.norm(centre) + spread * noise / np.linalg.norm(noise)
    return made.astype(np.float32)


class Collection:
    """Pictures, and the groups that follow them."""

    def __init__(self, rule: Rule | None = None) -> None:
        self.pictures: dict[bytes, list[Vector]] = {}
        self.grouping = Grouping(rule or Rule(), Partition(self.read), Constraints())
        self.curation = Curation(self.grouping, StatementLog())
        self.partition, self.members = self.grouping.partition, self.grouping.members

    def read(self, faces: Sequence[Face]) -> list[Vector | None]:
        """What db 3 has."""
        return [
            self.pictures[face.picture][face.place] if face.picture in self.pictures else None
            for face in faces
        ]

    def commit(self, number: int, *faces: Vector) -> list[int]:
        """Add a picture; gives the groups of its faces."""
        self.pictures[picture(number)] = list(faces)
        self.grouping.commit(picture(number), np.array(faces), [1.0] * len(faces))
        return self.members.of_picture(picture(number))

    def erase(self, number: int) -> None:
        """Erase a picture."""
        self.pictures.pop(picture(number), None)
        self.curation.forget(picture(number), time=0.0)
        self.grouping.erase(picture(number))
