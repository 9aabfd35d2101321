"""What joins what: limits by evidence, collection size, shared pictures and statements."""

from __future__ import annotations

import numpy as np
import pytest

from groups.clustering.rule import Rule
from groups.clustering.summary import Vector
from groups.statements.statement import Kind, Statement
from groups.statements.statement_log import Provenance
from tests.support.crowd import Collection

RULE = Rule()
ALONE = RULE.top(0) - RULE.caution  # the limit of two single faces


def at(distance: float, axis: int = 1) -> Vector:
    """A face at a distance from the one at 0."""
    vector = np.zeros(128, np.float32)
    vector[0], vector[axis] = 1.0, distance
    return vector


def submit(known: Collection, number: int, kind: Kind, *groups: int) -> None:
    statement = Statement(number=number, kind=kind, groups=groups, name="Ann")
    known.curation.apply(statement, Provenance(0.0, ""))


@pytest.mark.parametrize(("distance", "one"), [(ALONE - 0.001, True), (ALONE + 0.001, False)])
def test_two_faces_within_the_limit_are_one_group(distance: float, *, one: bool) -> None:
    known = Collection()
    (first,), (second,) = known.commit(1, at(0)), known.commit(2, at(distance))
    assert (first == second) is one


def test_a_large_group_reaches_further_than_a_single_face() -> None:
    known = Collection()
    for number in range(20):
        known.commit(number, at(0))
    limit = RULE.top(0) - RULE.caution / 2 * (1 + 1 / 20)
    assert known.commit(30, at(limit - 0.001)) == known.commit(31, at(0))
    assert limit > ALONE


def test_a_poor_face_has_to_be_nearer() -> None:
    known = Collection()
    known.commit(1, at(0))
    near = ALONE - 0.001
    known.grouping.commit(bytes(32), at(near, 2)[None], [RULE.worth({"size": 20})])
    assert known.members.of_picture(bytes(32)) != known.commit(3, at(0))


@pytest.mark.parametrize(
    ("quality", "worth"),
    [
        ({}, 1.0),
        ({"size": 200, "sharpness": 9.0, "pose": 0.1, "score": 1.0}, 1.0),
        ({"size": 20, "sharpness": 9.0, "pose": 0.1, "score": 1.0}, RULE.poor),
        ({"size": 200, "sharpness": 1.0, "pose": 0.1, "score": 1.0}, RULE.poor),
        ({"size": 200, "sharpness": 9.0, "pose": 0.9, "score": 1.0}, RULE.poor),
    ],
)
def test_small_blurred_and_turned_faces_are_poor(quality: dict[str, float], worth: float) -> None:
    assert RULE.worth(quality) == worth


def test_the_limit_falls_as_the_collection_grows() -> None:
    tops = [RULE.top(faces) for faces in (0, 1_000, 12_500, 100_000, 10_000_000)]
    assert tops == sorted(tops, reverse=True)
    assert RULE.top(12_500) == RULE.limit
    assert tops[0] == RULE.highest
    assert tops[-1] == RULE.lowest


@pytest.mark.parametrize(("distance", "one"), [(0.4, False), (0.3, True)])
def test_faces_of_one_picture_are_one_person_only_in_mirrors_and_collages(
    distance: float, *, one: bool
) -> None:
    known = Collection()
    first, second = known.commit(1, at(0), at(distance))
    assert (first == second) is one
    known.commit(2, at(0))
    assert len(known.partition.table) == 2 - one


def test_groups_that_share_pictures_now_and_then_may_be_one_person() -> None:
    known = Collection()
    for number in range(30):
        known.commit(number, at(0), *([at(0.4)] if number == 0 else []))
    for number in range(30, 60):
        known.commit(number, at(0.4))
    assert len(known.partition.table) == 1


def test_a_confirmed_group_grows_only_by_what_surely_belongs() -> None:
    known = Collection()
    (ann,) = known.commit(1, at(0))
    submit(known, 1, "name", ann)
    assert known.commit(2, at(ALONE - RULE.surely / 2)) != [ann]
    assert known.commit(3, at(ALONE - 2 * RULE.surely, 2)) == [ann]


def test_confirmed_groups_are_never_merged_and_keep_their_ids() -> None:
    known = Collection()
    (ann,), (bob,) = known.commit(1, at(0)), known.commit(2, at(ALONE + 0.01))
    submit(known, 1, "name", ann)
    submit(known, 2, "name", bob)
    for number in range(3, 30):
        known.commit(number, at(ALONE / 2, number))
    assert {ann, bob} <= set(known.partition.table.numbers())


def test_a_merged_group_leads_to_its_successor() -> None:
    known = Collection()
    (first,), (second,) = known.commit(1, at(0)), known.commit(2, at(ALONE + 0.05))
    assert first != second
    known.commit(3, at((ALONE + 0.05) / 2))
    assert known.partition.current(second) == known.partition.current(first)
    assert len(known.partition.table) == 1


def test_withdrawing_a_rejection_brings_the_face_back() -> None:
    known = Collection()
    (ann,) = known.commit(1, at(0))
    assert known.commit(2, at(0.2)) == [ann]
    (face, _) = known.members.of_group(ann)
    submit(known, 1, "name", ann)
    statement = Statement(number=2, kind="not", groups=(ann,), faces=(face,))
    known.curation.apply(statement, Provenance(0.0, ""))
    assert known.members.group(face) != ann
    known.curation.withdraw(2, time=1.0)
    assert known.members.group(face) == ann
