"""Whatever comes, goes and is said in whatever order: the groups obey every statement and the rule."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from faces.errors import ContradictionError
from faces.store.people.group_record import Face
from groups.clustering.rule import Rule
from groups.statements.statement import Kind, Statement
from groups.statements.statement_log import Provenance
from tests.support.crowd import Collection, face, picture

PEOPLE, PICTURES = 4, 14
RULE = Rule()

numbers = st.integers(0, PICTURES - 1)
of_groups: list[Kind] = ["name", "same", "different", "unsure", "hide", "show"]
of_faces: list[Kind] = ["not", "assign", "split", "cover"]


def shown(number: int) -> list[int]:
    """Who is in a picture: the last ones show two people, or one twice."""
    return [[number % PEOPLE], [number % PEOPLE, (number + 1) % PEOPLE], [0, 0]][(number > 8) + (number > 11)]


class Groups(RuleBasedStateMachine):
    """Groups beside a plain account of what there is and what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.all = Collection()
        self.said: dict[int, Statement] = {}
        self.of: dict[int, dict[int, set[Face]]] = {}  # statement -> group -> the faces it had
        self.by_hand: set[Face] = set()
        self.last = 0

    @rule(number=numbers)
    def commit(self, number: int) -> None:
        if picture(number) not in self.all.pictures:
            self.all.commit(number, *(face(p, 10 * number + i) for i, p in enumerate(shown(number))))

    @precondition(lambda self: self.all.pictures)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from([n for n in range(PICTURES) if picture(n) in self.all.pictures]))
        self.all.erase(gone)
        standing = {statement.number: statement for statement in self.all.curation.statement_log.standing()}
        for number, statement in list(self.said.items()):
            assert number in standing or statement.kind == "cover"
        self.said = standing
        for groups in self.of.values():
            groups |= {g: {f for f in faces if f.picture != picture(gone)} for g, faces in groups.items()}
        self.by_hand = {f for f in self.by_hand if f.picture != picture(gone)}

    @precondition(lambda self: self.all.pictures)
    @rule(data=st.data(), kind=st.sampled_from(of_groups))
    def speak_of_groups(self, data: st.DataObject, kind: Kind) -> None:
        groups = st.sampled_from(sorted(self.all.members.groups()))
        count = 2 if kind in {"same", "different", "unsure"} else 1
        chosen = tuple(data.draw(groups) for _ in range(count))
        if len(set(chosen)) == count:
            self.say(kind, chosen)

    @precondition(lambda self: self.all.pictures)
    @rule(data=st.data(), kind=st.sampled_from(of_faces))
    def speak_of_faces(self, data: st.DataObject, kind: Kind) -> None:
        group = data.draw(st.sampled_from(sorted(self.all.members.groups())))
        faces = st.sampled_from([f for g in self.all.members.groups() for f in self.all.members.of_group(g)])
        most = 1 if kind == "cover" else 2
        self.say(kind, (group,), data.draw(st.lists(faces, min_size=1, max_size=most, unique=True)))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.said)))
        try:
            self.all.curation.withdraw(number, time=0.0)
        except ContradictionError:
            return
        del self.said[number]

    def say(self, kind: Kind, groups: tuple[int, ...], faces: list[Face] | None = None) -> None:
        before = {group: set(self.all.members.of_group(group)) for group in groups}
        self.last += 1
        statement = Statement(
            number=self.last, kind=kind, groups=groups, faces=tuple(faces or ()), name="Ann"
        )
        state = self.state()
        try:
            self.said[self.last] = self.all.curation.apply(statement, Provenance(time=0.0, key=""))
        except ContradictionError:
            assert self.state() == state
            return
        self.of[self.last] = {} if kind == "unsure" else before
        if kind in {"not", "assign", "split"}:
            self.by_hand.update(statement.faces)

    def state(self) -> list[tuple[int, list[Face]]]:
        return [(group, self.all.members.of_group(group)) for group in sorted(self.all.members.groups())]

    @invariant()
    def every_face_is_in_one_group_whose_numbers_are_right(self) -> None:
        there = {
            Face(digest, place) for digest, seen in self.all.pictures.items() for place in range(len(seen))
        }
        grouped = [face for _, faces in self.state() for face in faces]
        assert sorted(grouped) == sorted(there)
        assert len(self.all.partition.table) == len(self.state())
        for group, faces in self.state():
            encodings = np.array([self.vector(f) for f in faces])
            summary = self.all.partition.table[group]
            assert (summary.count, summary.evidence) == (len(faces), len(faces))
            assert np.allclose(summary.centroid, encodings.mean(axis=0), atol=1e-5)

    @invariant()
    def the_rule_holds(self) -> None:
        for (one, a), (other, b) in combinations(self.state(), 2):
            if self.may_join(one, a, other, b):
                assert self.distance(a, b) > self.limit(one, a, other, b) - 1e-6

    @invariant()
    def every_statement_is_obeyed(self) -> None:
        for statement in self.said.values():
            people = [self.people(group) for group in statement.confirms]
            match statement.kind:
                case "same":
                    assert people[0] == people[1]
                case "different":
                    assert not people[0] & people[1]
                case "not":
                    assert not {self.all.members.group(f) for f in statement.faces} & people[0]
                case "assign":
                    assert {self.all.members.group(f) for f in statement.faces} <= people[0]
                case "split":
                    assert statement.made is not None
                    assert {self.all.members.group(f) for f in statement.faces} <= self.people(statement.made)
                    assert not self.people(statement.made) & people[0]

    @invariant()
    def faces_stay_with_the_person_of_whom_something_was_said(self) -> None:
        spoken: dict[Face, int] = {}
        for number in sorted(self.said):
            for group, faces in self.of[number].items():
                spoken |= dict.fromkeys(faces, group)
        for one, group in spoken.items():
            if one.picture in self.all.pictures and one not in self.by_hand:
                assert self.all.members.group(one) in self.people(group)

    def people(self, group: int) -> set[int]:
        return set(self.all.grouping.constraints.people[group].groups)

    def vector(self, one: Face) -> np.ndarray:
        return self.all.pictures[one.picture][one.place].astype(np.float64)

    def distance(self, a: list[Face], b: list[Face]) -> float:
        return float(np.sqrt(np.mean([((self.vector(x) - self.vector(y)) ** 2).sum() for x in a for y in b])))

    def may_join(self, one: int, a: list[Face], other: int, b: list[Face]) -> bool:
        people = self.all.grouping.constraints.people
        if one in people and other in people:
            return False
        shown = people.get(one) or people.get(other)
        return shown is None or not set(a + b) & self.all.grouping.constraints.rejected(shown)

    def limit(self, one: int, a: list[Face], other: int, b: list[Face]) -> float:
        limit = RULE.top(self.all.partition.seen) - RULE.caution / 2 * (1 / len(a) + 1 / len(b))
        people = self.all.grouping.constraints.people
        if one in people or other in people:
            limit -= RULE.surely
        shared = {f.picture for f in a} & {f.picture for f in b}
        return min(limit, RULE.same_picture) if len(shared) > RULE.shared * min(len(a), len(b)) else limit


def test_groups_obey_every_statement_and_the_rule_in_any_order() -> None:
    run_state_machine_as_test(Groups, settings=settings(max_examples=30, stateful_step_count=40))
