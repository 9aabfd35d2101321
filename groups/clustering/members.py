"""Which faces are in which group."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from faces.store.people.group_record import Face

GONE = -1


class Members:
    """Every indexed face is in exactly one group. A face takes about 200 bytes, mostly for its picture's digest."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}  # number of a picture's first face; the others follow
        self._pictures: list[bytes] = []  # by number of face
        self._groups = array("q")  # by number of face
        self._evidence = array("f")  # by number of face
        self._count = 0
        self._faces: dict[int, array[int]] = {}  # by group: numbers of its faces, in order of arrival

    def __len__(self) -> int:
        return self._count

    def __contains__(self, picture: object) -> bool:
        return picture in self._first

    def add(self, picture: bytes, groups: Sequence[int], evidence: Sequence[float]) -> None:
        """Add a picture's faces, with the group and the evidence of each."""
        self._first[picture] = len(self._pictures)
        for group, worth in zip(groups, evidence, strict=True):
            self._faces.setdefault(group, array("q")).append(len(self._pictures))
            self._pictures.append(picture)
            self._groups.append(group)
            self._evidence.append(worth)
            self._count += 1

    def pictures(self) -> Iterable[bytes]:
        """All pictures with faces."""
        return self._first.keys()

    def groups(self) -> Iterable[int]:
        """All groups with faces."""
        return self._faces.keys()

    def group(self, face: Face) -> int | None:
        """The group of a face; None if there is no such face."""
        number = self._number(face)
        return None if number is None else self._groups[number]

    def of_picture(self, picture: bytes) -> list[int]:
        """The groups of a picture's faces, in order."""
        return [self._groups[number] for number in self._numbers(picture)]

    def of_group(self, group: int) -> list[Face]:
        """The faces of a group, in order of arrival."""
        return [self._face(number) for number in self._faces.get(group, ())]

    def evidence(self, face: Face) -> float:
        """The evidence of a face."""
        return self._evidence[self._first[face.picture] + face.place]

    def count(self, group: int) -> int:
        """Number of faces of a group."""
        return len(self._faces.get(group, ()))

    def move(self, face: Face, group: int) -> None:
        """Move a face to another group."""
        number = self._first[face.picture] + face.place
        self._leave(number)
        self._groups[number] = group
        self._faces.setdefault(group, array("q")).append(number)

    def merge(self, group: int, into: int) -> None:
        """Move all faces of a group to another."""
        numbers = self._faces.pop(group)
        for number in numbers:
            self._groups[number] = into
        self._faces[into].extend(numbers)

    def remove(self, picture: bytes) -> set[int]:
        """Remove a picture; returns the groups it had faces in."""
        left = set()
        for number in self._numbers(picture):
            left.add(self._groups[number])
            self._leave(number)
            self._groups[number] = GONE
            self._count -= 1
        self._first.pop(picture, None)
        return left

    def shared(self, one: int, other: int) -> int:
        """Number of pictures that show faces of both groups."""
        if self.count(one) > self.count(other):
            one, other = other, one
        pictures = {self._pictures[number] for number in self._faces.get(one, ())}
        return sum(other in self.of_picture(picture) for picture in pictures)

    def _number(self, face: Face) -> int | None:
        first = self._first.get(face.picture)
        if first is None or not 0 <= face.place < len(self._pictures) - first:
            return None
        return first + face.place if self._pictures[first + face.place] == face.picture else None

    def _numbers(self, picture: bytes) -> Iterator[int]:
        number = self._first.get(picture, len(self._pictures))
        while number < len(self._pictures) and self._pictures[number] == picture:
            yield number
            number += 1

    def _face(self, number: int) -> Face:
        picture = self._pictures[number]
        return Face(picture, number - self._first[picture])

    def _leave(self, number: int) -> None:
        group = self._groups[number]
        self._faces[group].remove(number)
        if not self._faces[group]:
            del self._faces[group]
