"""All faces, partitioned into groups: summaries and members, kept consistent, and a record of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from faces.store.people.group_record import Face
from groups.clustering.members import Members
from groups.clustering.summary import Summary, Vector
from groups.clustering.table import Table

Read = Callable[[Sequence[Face]], Sequence[Vector | None]]
"""Reads the encodings of faces, float32 of shape (128,); None for an erased one."""


@dataclass(slots=True)
class Changes:
    """What has changed since the last `drain`."""

    groups: set[int] = field(default_factory=set)  # changed, new or removed
    appended: dict[int, list[Face]] = field(default_factory=dict)  # faces appended to groups
    rewritten: set[int] = field(default_factory=set)  # groups whose faces are to be written anew
    pictures: set[bytes] = field(default_factory=set)  # whose faces moved or were removed
    successors: dict[int, int] = field(default_factory=dict)


class Partition:
    """Every face in exactly one group.

    Attributes:
        table: the groups' summaries.
        members: their faces.
        successors: which group a merged one was merged into.
        versions: change with everything except new faces: merges, removals, statements.
        clock: the latest version of any group.
        seen: number of faces ever added.
    """

    def __init__(self, read: Read) -> None:
        self.table = Table()
        self.members = Members()
        self.successors: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.seen = 0
        self.clock = 0
        self.next_number = 1
        self.changes = Changes()
        self._read = read

    def drain(self) -> Changes:
        """Return and reset the changes."""
        changes, self.changes = self.changes, Changes()
        return changes

    def current(self, group: int) -> int:
        """Follow a merged group to the one it is part of now."""
        while group in self.successors:
            group = self.successors[group]
        return group

    def new_number(self) -> int:
        """Return an unused group number."""
        self.next_number += 1
        return self.next_number - 1

    def add(self, picture: bytes, faces: Sequence[Summary], groups: Sequence[int]) -> None:
        """Add a new picture's faces, each to the given group, which may be new."""
        self.members.add(picture, groups, [face.evidence for face in faces])
        self.changes.pictures.add(picture)
        for index, (face, group) in enumerate(zip(faces, groups, strict=True)):
            self.seen += 1
            self._set(group, self.table[group].joined(face) if group in self.table else face)
            self._append(group, [Face(picture, index)])

    def remove(self, picture: bytes) -> set[int]:
        """Remove a picture; returns the remaining groups that changed."""
        left = self.members.remove(picture)
        self.changes.pictures.add(picture)
        return self._summarize(left)

    def merge(self, kept: int, gone: int) -> None:
        """Merge one group into another."""
        faces = self.members.of_group(gone)
        self._set(kept, self.table[kept].joined(self.table[gone]))
        self._append(kept, faces)
        self.changes.pictures.update(face.picture for face in faces)
        self.members.merge(gone, kept)
        self._drop(gone)
        self.successors[gone] = self.changes.successors[gone] = kept
        self.bump([kept])

    def move(self, faces: Sequence[Face], group: int) -> set[int]:
        """Move faces into a group, which may be new; returns all remaining groups that changed."""
        changed = {group}
        for face in faces:
            changed.add(self.members.of_picture(face.picture)[face.place])
            self.members.move(face, group)
            self.changes.pictures.add(face.picture)
        self.successors.pop(group, None)
        return self._summarize(changed)

    def bump(self, groups: Iterable[int]) -> None:
        """Give groups a new version."""
        for group in groups:
            self.clock += 1
            self.versions[group] = self.clock
            self.changes.groups.add(group)

    def resummarize(self) -> set[int]:
        """Recompute every summary from new encodings; returns all groups."""
        return self._summarize(set(self.members.groups()))

    def summary_of(self, faces: Sequence[Face]) -> Summary:
        """Summarize some of the faces."""
        evidence = sum(map(self.members.evidence, faces))
        return Summary.of(np.array(self._read(faces), dtype=np.float32), evidence)

    def _summarize(self, groups: set[int]) -> set[int]:
        """Recompute summaries from faces. Pictures erased in the meantime are removed at once."""
        there: dict[int, Summary] = {}
        waiting = set(groups)
        while waiting:
            group = waiting.pop()
            faces = self.members.of_group(group)
            found = self._read(faces)
            erased = {face.picture for face, one in zip(faces, found, strict=True) if one is None}
            if erased:
                for picture in erased:
                    waiting |= self.members.remove(picture)
                    self.changes.pictures.add(picture)
            elif faces:
                evidence = sum(map(self.members.evidence, faces))
                there[group] = Summary.of(np.array(found, dtype=np.float32), evidence)
            else:
                there.pop(group, None)
        for group in sorted({*groups, *there}):
            self.changes.rewritten.add(group)
            self.bump([group])
            if group in there:
                self._set(group, there[group])
            else:
                self._drop(group)
        return set(there)

    def _append(self, group: int, faces: Sequence[Face]) -> None:
        self.changes.appended.setdefault(group, []).extend(faces)

    def _set(self, group: int, summary: Summary) -> None:
        self.table[group] = summary
        self.changes.groups.add(group)

    def _drop(self, group: int) -> None:
        if group in self.table:
            del self.table[group]
        self.versions.pop(group, None)
        self.changes.groups.add(group)
