from __future__ import annotations

from multiprocessing import Pipe

import pytest

from faces.errors import PictureError
from worker.isolation import wire
from worker.isolation.wire import Answer, FoundFaces

FACES = FoundFaces([{"box": 1}, {"box": 2}], (b"a" * 512, b"b" * 512), (b"first crop", b"second"))


def test_an_answer_comes_back_as_it_was() -> None:
    ours, theirs = Pipe()
    sent = Answer([FACES, PictureError("cut", code="truncated"), FoundFaces(), FACES], [("decode", 0.5)], 7)
    wire.send_answer(theirs, sent)
    read = wire.read_answer(wire.receive(ours), ours.recv_bytes(), pictures=4)
    assert (read.stages, read.resident) == (sent.stages, sent.resident)
    first, error, none, last = read.results
    assert first == last == FACES
    assert none == FoundFaces()
    assert isinstance(error, PictureError)
    assert (error.code, str(error)) == ("truncated", "cut")


@pytest.mark.parametrize(
    ("document", "encodings"),
    [
        ({}, b""),
        ({"results": [{"faces": [], "encodings": 1, "crops": []}], "stages": [], "resident": 1}, b""),
        ({"results": [{"faces": [], "encodings": 1, "crops": []}], "stages": [], "resident": 1}, b"x" * 1024),
        ({"results": [{"faces": [], "encodings": 1, "crops": [3]}], "stages": [], "resident": 1}, b"x" * 512),
        (
            {"results": [{"faces": [], "encodings": 1, "crops": [-1]}], "stages": [], "resident": 1},
            b"x" * 511,
        ),
        ({"results": [{"faces": [], "crops": []}], "stages": [], "resident": 1}, b""),
        ({"results": [{"faces": [], "encodings": 0}], "stages": [], "resident": 1}, b""),
        ({"results": [None], "stages": [], "resident": 1}, b""),
        ({"results": [], "stages": [], "resident": 1}, b""),
    ],
)
def test_a_damaged_answer_is_refused(document: dict[str, object], encodings: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        wire.read_answer(document, encodings, pictures=1)


def test_a_child_is_at_one_of_its_pictures_or_encodes_all() -> None:
    assert [wire.read_at({"at": at}, pictures=4) for at in (0, 3, None)] == [0, 3, None]


@pytest.mark.parametrize("at", [-1, 4, "0", [0], 0.5])
def test_a_child_cannot_blame_what_it_was_not_given(at: object) -> None:
    with pytest.raises(ValueError, match="of 4"):
        wire.read_at({"at": at}, pictures=4)


@pytest.mark.parametrize("message", [b"no JSON", b"[]", b"\xff"])
def test_what_is_no_document_is_refused(message: bytes) -> None:
    ours, theirs = Pipe()
    theirs.send_bytes(message)
    with pytest.raises(ValueError):  # noqa: PT011 -- whatever it says
        wire.receive(ours)
