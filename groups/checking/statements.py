"""The groups against the active statements."""

from __future__ import annotations

from collections.abc import Iterator

from groups.follower import Follower


def check_statements(follower: Follower) -> Iterator[str]:
    """Groups comply with every active statement."""
    constraints, members = follower.grouping.constraints, follower.partition.members
    for statement in follower.statement_log.standing():
        where = {members.group(face) for face in statement.faces}
        theirs = set(constraints.people[statement.groups[0]].groups) if statement.confirms else set()
        one, other = statement.groups[0], statement.groups[-1]
        fulfilled = {
            "same": constraints.together(one, other),
            "different": constraints.apart(one, other) and not constraints.together(one, other),
            "not": not where & theirs,
            "assign": where <= theirs,
            "split": not where & theirs,
        }
        if not fulfilled.get(statement.kind, True):
            yield f"the groups violate statement {statement.number} ({statement.kind})"
