"""Following the journal from its beginning."""

from __future__ import annotations

import numpy as np
import pytest

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import journal
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from tests.support.committing import Worker, face, found, picture
from worker.index import face_index
from worker.index.face_index import FaceIndex, vectors


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_pieces_of_any_size_give_the_same_faces(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(face_index, "PIECE", piece)
    worker = Worker(redis)
    for number, erased in [(0, True), (1, True), (2, False), (1, False)]:
        accept(redis, picture(number), str(number))
        worker.commit(found(number, number, 9))
        if erased:
            erase(redis, picture(number))
    fresh = FaceIndex(0.6)
    fresh.follow(redis)
    assert (fresh.position, len(fresh)) == (6, 4)
    (matching,) = fresh.matches(vectors([face(9)]))
    assert {digest.hex() for digest in matching} == {picture(1), picture(2)}
    assert journal.count_pictures(redis) == 2


def test_a_damaged_encoding_is_an_error_that_names_its_picture(redis: RedisClient) -> None:
    worker = Worker(redis)
    for number in range(3):
        accept(redis, picture(number), str(number))
        worker.commit(found(number, number))
    erase(redis, picture(0))
    redis.ask((3, "RPUSH", picture(1), np.zeros(127, "<f4").tobytes()))
    with pytest.raises(StoreError, match=picture(1)):
        journal.read(redis, 0, 10)
