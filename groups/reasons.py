"""Why a face is in its group, and in no other."""

from __future__ import annotations

from typing import Any

from faces.errors import UnknownError
from faces.store.group_record import Face
from groups.grouping import Grouping
from groups.saying import Sayings

MOST = 5  # others told


def why(grouping: Grouping, sayings: Sayings, face: Face) -> dict[str, Any]:
    """Explain a face, as `faces.store.statements.why` tells it.

    Raises:
        UnknownError: there is no such face.
    """
    partition = grouping.partition
    group = partition.members.group(face)
    if group is None:
        raise UnknownError(f"there is no face {face}")
    alone = partition.summary_of([face])
    rest = [other for other in partition.members.of_group(group) if other != face]
    law = grouping.law
    near = [
        {
            "person": str(law.people[one.group].id if one.group in law.people else one.group),
            "distance": round(one.distance, 4),
            "limit": round(one.limit, 4),
            "reason": grouping.reason(group, one),
        }
        for one in grouping.around(alone)
        if one.group != group and not law.together(one.group, group)
    ]
    return {
        "face": str(face),
        "person": str(law.people[group].id if group in law.people else group),
        "alone": not rest,
        "distance": round(alone.distance(partition.summary_of(rest)), 4) if rest else None,
        "good": alone.evidence >= 1,
        "said": [s.number for s in sayings.history.standing() if face in s.faces or group in s.confirms],
        "near": near[:MOST],
    }
