"""Following the journal from its beginning."""

from __future__ import annotations

import numpy as np
import pytest

from faces.errors import StoreError
from faces.store import journal
from faces.store.erase import erase
from faces.store.intake import accept
from faces.store.link import Link
from tests.integration.store.test_commit import Worker, face, found, picture
from worker import known
from worker.known import Known, vectors


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_pieces_of_any_size_give_the_same_faces(
    link: Link, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(known, "PIECE", piece)
    worker = Worker(link)
    for number, erased in [(0, True), (1, True), (2, False), (1, False)]:
        accept(link, picture(number), str(number))
        worker.commit(found(number, number, 9))
        if erased:
            erase(link, picture(number))
    fresh = Known(0.6)
    fresh.follow(link)
    assert (fresh.position, len(fresh)) == (6, 4)
    (matching,) = fresh.matches(vectors([face(9)]))
    assert {digest.hex() for digest in matching} == {picture(1), picture(2)}
    assert journal.pictures(link) == 2


def test_a_damaged_encoding_is_an_error_that_names_its_picture(link: Link) -> None:
    worker = Worker(link)
    for number in range(3):
        accept(link, picture(number), str(number))
        worker.commit(found(number, number))
    erase(link, picture(0))
    link.ask((3, "RPUSH", picture(1), np.zeros(127, "<f4").tobytes()))
    with pytest.raises(StoreError, match=picture(1)):
        journal.read(link, 0, 10)
