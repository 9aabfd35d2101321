"""The order of answers, and that they are of one instant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import numpy as np

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.erase import erase
from faces.store.pictures.queries import Match
from tests.support.writing import Writer, picture


def at(*places: float) -> tuple[bytes, ...]:
    """Faces that lie along one axis."""
    rows = np.zeros((len(places), 128), dtype="<f4")
    rows[:, 0] = places
    return tuple(row.tobytes() for row in rows)


def add(writer: Writer, number: int, names: str, *places: float) -> None:
    for name in names:
        accept(writer.redis, picture(number), name)
    faces = at(*places)
    writer.commit([DetectionResult(picture(number), [{} for _ in faces], faces)])


def test_the_nearest_comes_first_and_ties_go_by_name(redis: RedisClient) -> None:
    writer = Writer(redis)
    add(writer, 0, "q", 0, 10)
    add(writer, 1, "a", 0.5)
    add(writer, 2, "xc", 0.25)  # as near as 3: their names stand in one order
    add(writer, 3, "b", -0.25)
    add(writer, 4, "z", 10.125, 0.375)  # the nearest of its faces and of ours counts
    assert queries.matching_names(redis, picture(0)) == ["z", "b", "c", "x", "a"]
    assert queries.matches(redis, picture(0)) == [
        Match(picture(4), ["z"], 0.125),
        Match(picture(3), ["b"], 0.25),
        Match(picture(2), ["c", "x"], 0.25),
        Match(picture(1), ["a"], 0.5),
    ]


def test_an_unknown_picture_has_no_matches(redis: RedisClient) -> None:
    assert queries.matches(redis, picture(0)) == []


def test_an_answer_is_of_one_instant(redis: RedisClient, store_settings: Settings) -> None:
    """While a match comes and goes, it is in an answer with its names and faces, or not at all."""
    writer = Writer(redis)
    add(writer, 0, "q", 0)
    stop = Event()

    def come_and_go() -> None:
        while not stop.is_set():
            add(writer, 1, "a", 0.5)
            erase(redis, picture(1))

    with closing(RedisClient(store_settings)) as reader, ThreadPoolExecutor(1) as pool:
        changing = pool.submit(come_and_go)
        answers = [queries.matches(reader, picture(0)) for _ in range(500)]
        stop.set()
        changing.result()
    assert {str(answer) for answer in answers} == {"[]", str([Match(picture(1), ["a"], 0.5)])}
