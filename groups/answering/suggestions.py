"""Suggested merges: pairs of groups that are near but not merged, most useful first."""

from __future__ import annotations

from typing import Any

from faces.documents import to_json
from groups.clustering.grouping import Grouping, Neighbour

LARGEST = 500  # groups whose neighbours are searched; an answer about a smaller one settles fewer faces
MAX_SAVED = 200  # suggestions saved


class Suggestions:
    """Finds suggestions, and caches the neighbours of unchanged groups."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._partition, self._members = grouping.partition, grouping.partition.members
        self._near: dict[int, tuple[tuple[int, int], list[Neighbour]]] = {}

    def document(self) -> str:
        """The suggestions as JSON, as `faces.store.people.directory` reads them."""
        return to_json(self.find())

    def find(self) -> list[dict[str, Any]]:
        """The most useful pairs.

        An answer about a group and a larger or confirmed one settles the faces of the former, so the neighbours of
        the largest groups include every pair that settles more faces than the smallest of these groups has.
        """
        people = self._grouping.constraints.people
        by_size = sorted(self._members.groups(), key=lambda group: (-self._members.count(group), group))
        largest = [group for group in by_size if not self._hidden(group)][:LARGEST]
        self._near = {group: self._near[group] for group in largest if group in self._near}
        found: dict[frozenset[int], dict[str, Any]] = {}
        for group in largest:
            for near in self._neighbours(group):
                pair = frozenset((self._who(group), self._who(near.group)))
                settled = self._settled(group, near.group)
                if settled and self._may_ask(group, near.group) and pair not in found:
                    first, second = (near.group, group) if near.group in people else (group, near.group)
                    found[pair] = self._described(first, second, near, settled)
        ranked = sorted(found.values(), key=lambda pair: (-pair["faces"], pair["distance"]))
        return ranked[:MAX_SAVED]

    def _neighbours(self, group: int) -> list[Neighbour]:
        """Near groups, cached while the group is unchanged."""
        stamp = (self._members.count(group), self._partition.versions.get(group, 0))
        if self._near.get(group, (None, []))[0] != stamp:
            reach = self._grouping.rule.reach(self._partition.seen)
            self._near[group] = stamp, self._grouping.neighbours(group, reach)
        return [near for near in self._near[group][1] if near.group in self._partition.table]

    def _settled(self, group: int, other: int) -> int:
        """Number of faces that an answer settles."""
        ours, theirs = self._members.count(group), self._members.count(other)
        people = self._grouping.constraints.people
        if group in people and other not in people:
            return theirs
        if other in people and group not in people:
            return ours
        return min(ours, theirs)

    def _may_ask(self, group: int, other: int) -> bool:
        """Tell whether no statement answers it yet."""
        constraints = self._grouping.constraints
        if self._hidden(other) or constraints.together(group, other) or constraints.apart(group, other):
            return False
        pair = {self._who(group), self._who(other)}
        return not any(
            {self._who(self._partition.current(g)) for g in asked} == pair for asked in constraints.unsure
        )

    def _hidden(self, group: int) -> bool:
        person = self._grouping.constraints.people.get(group)
        return person is not None and person.hidden

    def _who(self, group: int) -> int:
        person = self._grouping.constraints.people.get(group)
        return group if person is None else person.id

    def _described(self, first: int, second: int, near: Neighbour, settled: int) -> dict[str, Any]:
        return {
            "first": str(self._who(first)),
            "second": str(self._who(second)),
            "distance": round(near.distance, 4),
            "limit": round(self._grouping.usual_limit(first, second), 4),
            "faces": settled,
            "shared": self._members.shared(first, second),
        }
