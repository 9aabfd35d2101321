"""Pictures committed as a worker does, and groups kept as the process does, one step at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from faces.store.client import RedisClient
from faces.store.collection.data_version import agree
from faces.store.collection.journal import Place
from faces.store.keys import HOME, JOURNAL
from faces.store.people import appearances, directory
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.erase import erase
from groups.clustering.rule import Rule
from groups.follower import Follower
from tests.support.crowd import face
from tests.support.writing import MADE_WITH, picture

Who = int | tuple[int, float]
"""A person, and how far this face is from what is typical of them."""
SPREAD = 0.3
ANN, BOB, EVE = 1, 2, 3
GOOD = {"quality": {"size": 120, "sharpness": 8.0, "pose": 0.1, "score": 2.0}}
SMALL = {"indexed": False, "reason": "too small"}


class Fleet:
    """Commits pictures of made-up people; picture `n` has the name `n`."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        agree(redis, MADE_WITH)

    def commit(self, shown: Mapping[int, Sequence[Who]], small: int = 0) -> None:
        """Commit pictures: number -> the people that it shows, after so many faces too small to be indexed.

        Matches are not looked for: nobody here asks.
        """
        for number in shown:
            accept(self.redis, picture(number), str(number))
        found = [_found(number, people, small) for number, people in shown.items()]
        (length,) = self.redis.ask((HOME, "LLEN", JOURNAL))
        commit(self.redis, found, MADE_WITH, lambda: Place(length), lambda _tail, _ours: [()] * len(found))

    def erase(self, *numbers: int) -> None:
        """Erase pictures."""
        for number in numbers:
            erase(self.redis, picture(number))


def _found(number: int, people: Sequence[Who], small: int) -> DetectionResult:
    known = [who if isinstance(who, tuple) else (who, SPREAD) for who in people]
    faces = [face(person, 10 * number + i, spread) for i, (person, spread) in enumerate(known)]
    encodings = tuple(one.astype("<f4").tobytes() for one in faces)
    return DetectionResult(picture(number), [SMALL] * small + [GOOD for _ in people], encodings)


def follower(redis: RedisClient) -> Follower:
    """The one process, ready for its first step."""
    kept = Follower(redis, Rule())
    assert kept.lease.take()
    kept.load()
    return kept


def caught_up(kept: Follower) -> Follower:
    """The same after it has followed everything."""
    while kept.step():
        pass
    kept.suggest()
    return kept


@contextmanager
def answering(kept: Follower) -> Iterator[None]:
    """Follow in a thread meanwhile."""
    over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while not over.wait(0.01):
                kept.step()
        except BaseException as error:  # noqa: BLE001 -- told below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


def during(kept: Follower, what: Callable[[], object]) -> None:
    """Do something while the groups are kept, and let them catch up."""
    with answering(kept):
        what()
    caught_up(kept)


def sizes(redis: RedisClient) -> list[int]:
    return [person.count for person in directory.people(redis).people]


def ids(redis: RedisClient) -> list[str]:
    return [person.id for person in directory.people(redis).people]


def shown(person: int, first: int = 0) -> set[tuple[str, int]]:
    early = {(picture(n), 0) for n in range(5)} if first == 0 else set()
    return early | {(picture(n), 0) for n in range(100, 1100) if n % 40 == person}


def faces_named(redis: RedisClient, name: str) -> set[tuple[str, int]]:
    (person,) = directory.named(redis, name)
    return {(face.picture_id, face.index) for face in appearances.faces(redis, person)}
