"""Explains why a face is in its group and in no other."""

from __future__ import annotations

from typing import Any

from faces.errors import UnknownError
from faces.store.people.group_record import Face
from groups.answering.curation import Curation
from groups.clustering.grouping import Grouping

MAX_LISTED = 5  # other people listed


def explain(grouping: Grouping, curation: Curation, face: Face) -> dict[str, Any]:
    """Explain a face, as `faces.store.people.statements.explain` describes.

    Raises:
        UnknownError: no such face.
    """
    partition = grouping.partition
    group = partition.members.group(face)
    if group is None:
        raise UnknownError(f"there is no face {face}")
    alone = partition.summary_of([face])
    rest = [other for other in partition.members.of_group(group) if other != face]
    constraints = grouping.constraints
    near = [
        {
            "person": str(constraints.people[one.group].id if one.group in constraints.people else one.group),
            "distance": round(one.distance, 4),
            "limit": round(one.limit, 4),
            "reason": grouping.reason(group, one),
        }
        for one in grouping.around(alone)
        if one.group != group and not constraints.together(one.group, group)
    ]
    return {
        "face": str(face),
        "person": str(constraints.people[group].id if group in constraints.people else group),
        "alone": not rest,
        "distance": round(alone.distance(partition.summary_of(rest)), 4) if rest else None,
        "good": alone.evidence >= 1,
        "statements": [
            s.number for s in curation.statement_log.standing() if face in s.faces or group in s.confirms
        ],
        "near": near[:MAX_LISTED],
    }
