"""Faces in memory against the plainest form of the rule."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest

from client.checking import brute_force
from client.gallery import Gallery
from faces.store.collection.journal import Entry

TOLERANCE = 0.6


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def committed(number: int, version: int = 0) -> Entry:
    """A picture of one to three faces, some of them about the tolerance from those of others."""
    rng = np.random.default_rng([number, version])
    faces = rng.normal(size=(1 + number % 3, 128)) * 0.0375
    return Entry(
        digest(number), erased=False, encodings=tuple(face.astype("<f4").tobytes() for face in faces)
    )


def plainly(asked: Entry, known: dict[bytes, Entry]) -> set[str]:
    return {
        other.digest.hex()
        for other in known.values()
        if other.digest != asked.digest
        and any(_apart(a, b) <= TOLERANCE for a in asked.encodings for b in other.encodings)
    }


def _apart(a: bytes, b: bytes) -> float:
    one, other = (np.frombuffer(face, "<f4").astype(np.float64) for face in (a, b))
    return float(np.sqrt(((one - other) ** 2).sum()))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ROWS", 8), ("COLUMNS", 12), ("EXACT", 16)):
        monkeypatch.setattr(brute_force, name, value)


@pytest.mark.usefixtures("small_blocks")
def test_it_finds_what_the_rule_says_while_pictures_come_go_and_come_again() -> None:
    gallery, known, chance = Gallery(TOLERANCE), dict[bytes, Entry](), random.Random(1)
    edges = 0
    for step in range(12):
        piece = [committed(chance.randrange(60), step) for _ in range(9)]
        piece += [Entry(digest(chance.randrange(60)), erased=True) for _ in range(3)]
        chance.shuffle(piece)
        gallery.advance(piece)
        last = {entry.digest: entry for entry in piece}
        known = {d: e for d, e in (known | last).items() if not e.erased}
        alive = [entry for entry in last.values() if not entry.erased]
        found = gallery.matching(alive)
        assert found == [plainly(entry, known) for entry in alive]
        edges += sum(map(len, found))
    assert 100 < edges < 12 * 9 * 30


def test_a_picture_whose_encodings_are_gone_has_no_faces() -> None:
    gallery = Gallery(TOLERANCE)
    gallery.advance([committed(1), Entry(digest(1), erased=False)])
    gallery.advance([committed(1, 0)._replace(digest=digest(2))])
    assert gallery.matching([committed(1)._replace(digest=digest(2))]) == [set()]


def test_nothing_matches_nothing() -> None:
    gallery = Gallery(TOLERANCE)
    gallery.advance([])
    assert gallery.matching([]) == []
