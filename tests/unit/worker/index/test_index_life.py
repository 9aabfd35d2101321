"""The index answers as a model does, whatever came and went before."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.near_faces import NO_FACES, Faces, distances, filled, people, picture
from worker.index import Index


class Life(RuleBasedStateMachine):
    """An index and a model live through the same additions and removals."""

    def __init__(self) -> None:
        super().__init__()
        self.index = Index(0.6)
        self.model: dict[bytes, Faces] = {}
        self.next = 0

    @initialize(seed=st.integers(0, 1000))
    def draw(self, seed: int) -> None:
        self.source = people(400, seed, each=8)

    def taken(self, count: int) -> Faces:
        first = self.next * 7 % 300
        return self.source[first : first + count]

    @rule(count=st.integers(0, 5))
    def add(self, count: int) -> None:
        self.index.add(picture(self.next), self.taken(count))
        self.model[picture(self.next)] = self.taken(count)
        self.next += 1

    @rule(counts=st.lists(st.integers(0, 20), max_size=40))
    def extend(self, counts: list[int]) -> None:
        pictures = [picture(self.next + i) for i in range(len(counts))]
        faces = [self.source[i * 5 : i * 5 + count] for i, count in enumerate(counts)]
        self.index.extend(pictures, np.array(counts, np.int64), np.concatenate([NO_FACES, *faces]))
        self.model |= dict(zip(pictures, faces, strict=True))
        self.next += len(counts)

    @rule(which=st.integers(0, 10**6))
    def remove(self, which: int) -> None:
        victim = picture(which % (self.next + 1))
        assert self.index.remove(victim) == (self.model.pop(victim, None) is not None)
        assert victim not in self.index

    @invariant()
    def counts(self) -> None:
        assert len(self.index) == sum(map(len, self.model.values()))
        assert self.index.pictures == len(self.model)
        assert all(name in self.index for name in self.model)

    @rule(which=st.integers(0, 390))
    def ask(self, which: int) -> None:
        queries = self.source[which : which + 3]
        expected = {
            (i, name)
            for i, query in enumerate(queries)
            for name, faces in self.model.items()
            if (distances(query, faces) <= 0.6).any()
        }
        for i, answer in enumerate(self.index.matches(queries)):
            assert len(answer) == len(set(answer))
            assert set(answer) == {name for query, name in expected if query == i}


TestLife = Life.TestCase


TestLife.settings = settings(max_examples=30, stateful_step_count=20)


def test_memory_is_bounded_under_endless_change() -> None:
    faces = people(200)
    index = filled(faces)
    before = index.nbytes
    for i in range(3000):
        assert index.remove(picture(i))
        index.add(picture(200 + i), faces[i % 200][None])
    assert (len(index), index.nbytes) == (200, before)
    for i in range(3000, 3200):
        index.remove(picture(i))
    assert (len(index), index.pictures, index.matches(faces[:1])) == (0, 0, [[]])
