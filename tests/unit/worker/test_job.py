"""A batch of pictures: what needs no work, what cannot be had, and what the finder says of the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from faces.errors import ImageStoreError, PictureError
from faces.messaging.message import Message
from faces.process.retrier import Retrier
from faces.store.collection.data_version import DataVersion
from faces.store.pictures.commit import Committed, DetectionResult
from faces.store.pictures.outcome import Outcome
from faces.store.pictures.status import failed, pending
from tests.support.fake_redis import FakeRedis
from worker.crops import Crops
from worker.index.face_index import FaceIndex
from worker.isolation.quarantine import Found
from worker.isolation.wire import FoundFaces
from worker.job import Jobs
from worker.metrics import Metrics
from worker.originals import Originals

A, B, C, D = "a" * 64, "b" * 64, "c" * 64, "d" * 64
CUT = PictureError("the file ends too early", code="truncated")


class FakeFinder:
    """Says of each picture that it is cut; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, bytes]] = []

    def find(self, pictures: Mapping[str, bytes], _between: Callable[[], None]) -> Found:
        self.asked.append(dict(pictures))
        return dict.fromkeys(pictures, CUT)


class FakeQuarantine(dict[str, PictureError]):
    """Pictures in quarantine, all finished."""

    def collect(self) -> Found:
        found: Found = dict(self)
        self.clear()
        return found


class Store:
    """Lacks everything but one picture."""

    def get(self, picture_id: str) -> bytes:
        if picture_id == A:
            return b"stored"
        raise ImageStoreError("away")


class CropStore(dict[str, list[bytes]]):
    """Keeps crops; of one picture it cannot."""

    def put_crops(self, picture_id: str, jpegs: Sequence[bytes]) -> None:
        if picture_id == B:
            raise ImageStoreError("full")
        self[picture_id] = list(jpegs)

    def delete_crops(self, picture_id: str) -> bool:
        return self.pop(picture_id, None) is not None


def jobs(
    redis: FakeRedis,
    finder: FakeFinder,
    quarantine: FakeQuarantine | None = None,
    crop_store: CropStore | None = None,
) -> Jobs:
    return Jobs(
        redis=cast(Any, redis),
        originals=Originals(Store()),
        crops=Crops(crop_store),
        finder=cast(Any, finder),
        quarantine=cast(Any, quarantine),
        face_index=FaceIndex(0.6),
        data_version=DataVersion("model", 0.6),
        retrier=Retrier(threading.Event()),
        metrics=Metrics(),
    )


def message(picture_id: str, data: bytes | None = b"carried") -> Message:
    return Message(picture_id, "name", data)


def test_a_picture_s_error_is_its_result() -> None:
    finder = FakeFinder()
    results = jobs(FakeRedis(A), finder).run([message(A)])
    assert finder.asked == [{A: b"carried"}]
    assert results[A].error is CUT


def test_a_picture_that_comes_twice_in_a_batch_is_searched_once() -> None:
    finder = FakeFinder()
    jobs(FakeRedis(A), finder).run([message(A), message(A)])
    assert finder.asked == [{A: b"carried"}]


def test_what_is_settled_or_gone_is_not_searched_again() -> None:
    redis, finder = FakeRedis(A, B), FakeFinder()
    settled = failed(pending(B), "truncated", "cut", [])
    redis.strings[f"status:{B}"] = settled.to_json().encode()
    results = jobs(redis, finder).run([message(A), message(B), message(C)])
    assert finder.asked == [{A: b"carried"}]
    assert (results[B].outcome, results[C].outcome) == (Outcome.ALREADY, Outcome.GONE)


def test_originals_come_from_the_store() -> None:
    finder = FakeFinder()
    results = jobs(FakeRedis(A, B), finder).run([message(A, None), message(B, None)])
    assert finder.asked == [{A: b"stored"}]
    assert isinstance(results[B].error, ImageStoreError)


class Finds(FakeFinder):
    """Finds a face in each picture."""

    def find(self, pictures: Mapping[str, bytes], _between: Callable[[], None]) -> Found:
        return {picture_id: FoundFaces([{}], (), (b"crop",)) for picture_id in pictures}


def test_a_picture_is_committed_with_its_crops_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    committed: list[str] = []

    def commit(_: object, found: Sequence[DetectionResult], *_more: object) -> Committed:
        committed.extend(f.picture_id for f in found)
        assert set(store) == {A, C, D}  # before the commit
        del redis.strings[f"status:{C}"]
        return Committed([Outcome.DONE, Outcome.GONE, Outcome.GONE], 0)

    monkeypatch.setattr("worker.job.commit", commit)
    monkeypatch.setattr(FaceIndex, "follow", lambda *_: None)
    store, redis = CropStore(), FakeRedis(A, B, C, D)
    results = jobs(redis, Finds(), crop_store=store).run([message(A), message(B), message(C), message(D)])
    assert committed == [A, C, D]
    assert isinstance(results[B].error, ImageStoreError)
    assert store == {A: [b"crop"], D: [b"crop"]}, "of an erased picture none, unless it was sent again since"


def test_a_picture_in_quarantine_that_comes_again_is_not_searched_beside_it() -> None:
    finder, quarantine = FakeFinder(), FakeQuarantine({A: CUT})
    doing = jobs(FakeRedis(A, B), finder, quarantine)
    assert list(doing.run([message(A), message(B)])) == [B]
    assert finder.asked == [{B: b"carried"}]
    assert doing.finish_quarantined()[A].error is CUT
    assert doing.finish_quarantined() == {}
