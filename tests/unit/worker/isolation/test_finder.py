"""What becomes of a picture on which the engine fails, and of the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from faces.errors import FacefleetError, PictureError, PoisonError, ShortageError
from worker.health.memory import Memory
from worker.isolation.engine_process import Fault, Kind
from worker.isolation.finder import MIN_PACE, MIN_SLOW, SLOW, SMALL, Finder
from worker.isolation.quarantine import Found
from worker.isolation.verdict import verdict
from worker.isolation.wire import Answer, FoundFaces
from worker.metrics import Metrics

TIMEOUT = 60.0
BAD: dict[bytes, Kind] = {b"crashes": "crash", b"hangs": "hang", b"eats": "memory", b"breaks": "failed"}


class FakeEngine:
    """Fails at the first bad picture of a group, or while it encodes the faces of all."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[list[bytes]] = []
        self.timeouts: list[float] = []
        self.renewed = 0
        self.resident = 0
        self._seconds = seconds

    def find(self, pictures: Sequence[bytes], memory: int, timeout: float) -> Answer:  # noqa: ARG002 -- as it is called
        self.asked.append(list(pictures))
        self.timeouts.append(timeout)
        for number, picture in enumerate(pictures):
            if picture in BAD:
                raise Fault(BAD[picture], "its reason", number)
        if b"not encoded" in pictures:
            raise Fault("crash", "its reason", at=None)
        results = [PictureError("cut", code="truncated") if p == b"cut" else found(p) for p in pictures]
        return Answer(results, [("detect", self._seconds)] * len(pictures), self.resident)

    def renew(self) -> str:
        self.renewed += 1
        return ""


class FakeQuarantine:
    """Takes so many pictures."""

    def __init__(self, room: int = 100) -> None:
        self.held: list[str] = []
        self._room = room

    def full(self) -> bool:
        return len(self.held) >= self._room

    def put(self, picture_id: str, data: bytes) -> None:  # noqa: ARG002 -- as it is called
        self.held.append(picture_id)


def found(picture: bytes) -> FoundFaces:
    return FoundFaces([{"box": picture.decode()}])


def find(engine: FakeEngine, quarantine: FakeQuarantine | None, *pictures: str) -> Found:
    finder = Finder(engine, quarantine, Memory(0), Metrics(), TIMEOUT)
    return finder.find({picture: picture.encode() for picture in pictures})


def test_small_pictures_are_searched_together_and_a_damaged_one_has_its_error() -> None:
    engine = FakeEngine()
    results = find(engine, FakeQuarantine(), "a", "cut", "b", "c", "d")
    assert engine.asked == [[b"a", b"cut", b"b", b"c"], [b"d"]]
    assert results["a"] == found(b"a")
    assert isinstance(results["cut"], PictureError)


def test_large_pictures_are_searched_one_by_one() -> None:
    engine = FakeEngine()
    pictures = ["a" * (SMALL - 1), "b", "c" * SMALL, "d" * (2 * SMALL), "e"]
    assert list(find(engine, FakeQuarantine(), *pictures)) == pictures
    assert [[chr(picture[0]) for picture in group] for group in engine.asked] == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e"],
    ]


def test_there_is_time_for_something_else_before_each_group() -> None:
    engine = FakeEngine()
    finder = Finder(engine, FakeQuarantine(), Memory(0), Metrics(), TIMEOUT)
    done: list[int] = []
    finder.find({letter: letter.encode() for letter in "abcdefghi"}, lambda: done.append(len(engine.asked)))
    assert done == [0, 1, 2]


@pytest.mark.parametrize("bad", [kind.decode() for kind in BAD])
def test_a_bad_picture_goes_to_quarantine_and_the_others_go_on(bad: str) -> None:
    engine, quarantine = FakeEngine(), FakeQuarantine()
    results = find(engine, quarantine, "a", bad, "b", "c")
    assert list(results) == ["a", "b", "c"]
    assert quarantine.held == [bad]
    assert len(engine.asked) == 2


def test_a_group_that_is_not_encoded_goes_to_quarantine_whole() -> None:
    engine, quarantine = FakeEngine(), FakeQuarantine()
    results = find(engine, quarantine, "a", "b", "not encoded", "c", "d")
    assert list(results) == ["d"]
    assert quarantine.held == ["a", "b", "not encoded", "c"]


def test_a_group_that_is_not_encoded_is_tried_one_by_one_without_a_quarantine() -> None:
    engine = FakeEngine()
    results = find(engine, None, "a", "not encoded", "b")
    assert (results["a"], results["b"]) == (found(b"a"), found(b"b"))
    assert isinstance(results["not encoded"], PoisonError)


def test_a_batch_of_bad_pictures_costs_one_try_each() -> None:
    engine, quarantine = FakeEngine(), FakeQuarantine()
    assert find(engine, quarantine, *(kind.decode() for kind in BAD)) == {}
    assert len(engine.asked) == len(quarantine.held) == len(BAD)


@pytest.mark.parametrize("room", [None, 0])
@pytest.mark.parametrize(
    ("bad", "code", "tries"),
    [
        ("crashes", "poison", 3),
        ("hangs", "timeout", 2),
        ("eats", "out_of_memory", 3),
        ("breaks", "engine_failed", 3),
    ],
)
def test_without_a_quarantine_it_is_tried_alone_here(
    room: int | None, bad: str, code: str, tries: int
) -> None:
    engine = FakeEngine()
    results = find(engine, None if room is None else FakeQuarantine(room), "a", bad, "b")
    assert (results["a"], results["b"]) == (found(b"a"), found(b"b"))
    assert getattr(results[bad], "code", None) == code
    assert len(engine.asked) == tries
    assert set(engine.timeouts) == {TIMEOUT}


def test_a_picture_is_slow_after_many_times_what_its_size_usually_takes() -> None:
    engine = FakeEngine(seconds=0.5)
    finder = Finder(engine, FakeQuarantine(), Memory(0), Metrics(), TIMEOUT)
    for _ in range(50):
        finder.find({"a": b"a", "b": b"b"})
    finder.find({"small": b"a", "large": b"bb"})
    assert engine.timeouts[0] == MIN_SLOW
    assert engine.timeouts[-2] == pytest.approx(5, rel=0.01)
    assert engine.timeouts[-1] == pytest.approx(10, rel=0.01)


def test_a_large_picture_has_its_time_before_any_was_measured() -> None:
    engine = FakeEngine()
    Finder(engine, FakeQuarantine(), Memory(0), Metrics(), TIMEOUT).find({"large": bytes(2_000_000)})
    assert engine.timeouts == [SLOW * MIN_PACE * 2_000_000]


@pytest.mark.parametrize(
    ("fault", "crowded", "error"),
    [
        (Fault("memory", ""), False, PictureError),
        (Fault("memory", ""), True, ShortageError),
        (Fault("crash", "SIGSEGV"), True, PoisonError),
        (Fault("crash", "SIGKILL"), False, ShortageError),
    ],
)
def test_a_shortage_of_the_worker_is_not_the_picture_s_fault(
    fault: Fault, crowded: bool, error: type[FacefleetError]
) -> None:
    assert type(verdict(fault, crowded=crowded)) is error
