"""Who is to blame when the engine fails on a batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from faces.errors import FacefleetError, PictureError, PoisonError, ShortageError
from worker.finder import MIN_SLOW, Finder
from worker.health.memory import Memory
from worker.isolation.engine_process import Fault, Kind
from worker.isolation.wire import Answer, FoundFaces
from worker.metrics import Metrics
from worker.quarantine import Found
from worker.verdict import verdict

TIMEOUT = 60.0
BAD: dict[bytes, Kind] = {b"crashes": "crash", b"hangs": "hang", b"eats": "memory", b"breaks": "failed"}


class FakeEngine:
    """Fails on bad pictures at the picture, and on odd company while it encodes."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[list[bytes]] = []
        self.timeouts: list[float] = []
        self.renewed = 0
        self.resident = 0
        self._seconds = seconds

    def find(self, pictures: Sequence[bytes], memory: int, timeout: float) -> Answer:  # noqa: ARG002 -- as it is called
        self.batches.append(list(pictures))
        self.timeouts.append(timeout)
        for at, picture in enumerate(pictures):
            if picture in BAD:
                raise Fault(BAD[picture], "its reason", at)
        if b"odd" in pictures:
            raise Fault("crash", "its reason", None)
        results: list[FoundFaces | PictureError] = [
            PictureError("cut", code="truncated") if picture == b"cut" else found(picture)
            for picture in pictures
        ]
        return Answer(results, [("detect", self._seconds * len(pictures))], self.resident)

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


def test_a_batch_is_found_at_once_and_a_damaged_picture_has_its_error() -> None:
    engine = FakeEngine()
    results = find(engine, FakeQuarantine(), "a", "cut", "b")
    assert engine.batches == [[b"a", b"cut", b"b"]]
    assert results["a"] == found(b"a")
    assert isinstance(results["cut"], PictureError)


@pytest.mark.parametrize("bad", [kind.decode() for kind in BAD])
def test_a_bad_picture_goes_to_quarantine_and_the_others_go_on(bad: str) -> None:
    engine, quarantine = FakeEngine(), FakeQuarantine()
    results = find(engine, quarantine, "a", bad, "b", "c")
    assert list(results) == ["a", "b", "c"]
    assert quarantine.held == [bad]
    assert len(engine.batches) == 2


def test_a_batch_of_bad_pictures_costs_one_try_each() -> None:
    engine, quarantine = FakeEngine(), FakeQuarantine()
    assert find(engine, quarantine, *(kind.decode() for kind in BAD)) == {}
    assert len(engine.batches) == len(quarantine.held) == len(BAD)


def test_where_nobody_in_particular_is_to_blame_each_is_tried_alone() -> None:
    quarantine = FakeQuarantine()
    assert find(FakeEngine(), quarantine, "a", "odd", "b") == {}
    assert quarantine.held == ["a", "odd", "b"]
    results = find(FakeEngine(), None, "a", "odd", "b")
    assert (results["a"], results["b"]) == (found(b"a"), found(b"b"))
    assert isinstance(results["odd"], PoisonError)


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
    assert len(engine.batches) == tries
    assert set(engine.timeouts) == {TIMEOUT}


def test_a_picture_may_take_many_times_the_average_before_it_is_slow() -> None:
    engine = FakeEngine(seconds=0.5)
    finder = Finder(engine, FakeQuarantine(), Memory(0), Metrics(), TIMEOUT)
    for _ in range(50):
        finder.find({"a": b"a", "b": b"b"})
    assert engine.timeouts[0] == MIN_SLOW
    assert engine.timeouts[-1] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(
    ("fault", "crowded", "error"),
    [
        (Fault("memory", "", 0), False, PictureError),
        (Fault("memory", "", 0), True, ShortageError),
        (Fault("crash", "SIGSEGV", 0), True, PoisonError),
        (Fault("crash", "SIGKILL", 0), False, ShortageError),
    ],
)
def test_a_shortage_of_the_worker_is_not_the_picture_s_fault(
    fault: Fault, crowded: bool, error: type[FacefleetError]
) -> None:
    assert type(verdict(fault, crowded=crowded)) is error
