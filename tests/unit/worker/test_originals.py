from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from faces.errors import ImageStoreError, PictureError
from worker import side_by_side
from worker.originals import Originals


class Store:
    """Has some pictures, lacks others, and hangs on a third kind until it is told to answer."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0

    def get(self, picture_id: str) -> bytes:
        self.asked += 1
        if picture_id.startswith("hangs"):
            self.answers.wait(60)
        if picture_id == "missing":
            raise PictureError("not there", code="missing")
        return picture_id.encode()


@pytest.fixture
def store() -> Iterator[Store]:
    hanging = Store()
    yield hanging
    hanging.answers.set()


def test_originals_and_the_errors_of_those_that_cannot_be_had(store: Store) -> None:
    fetched = Originals(store).fetch(["a", "missing", "b"])
    assert (fetched["a"], fetched["b"]) == (b"a", b"b")
    assert isinstance(fetched["missing"], PictureError)


def test_a_store_that_hangs_costs_a_deadline_and_may_pass(store: Store) -> None:
    fetched = Originals(store, timeout=0.2).fetch(["a", "hangs"])
    assert fetched["a"] == b"a"
    assert isinstance(fetched["hangs"], ImageStoreError)
    assert "0.2 s" in str(fetched["hangs"])


def test_a_store_that_hangs_is_not_asked_for_ever(store: Store) -> None:
    many = [f"hangs {number}" for number in range(side_by_side.MAX_STUCK + 1)]
    reading = Originals(store, timeout=0.2)
    reading.fetch(many)
    asked = store.asked
    refused = reading.fetch(["a"])["a"]
    assert isinstance(refused, ImageStoreError)
    assert store.asked == asked
    store.answers.set()
    for thread in reading._reading._stuck:
        thread.join(60)
    assert reading.fetch(["a"]) == {"a": b"a"}


def test_without_a_store_the_original_is_missing() -> None:
    error = Originals(None).fetch(["a"])["a"]
    assert isinstance(error, PictureError)
    assert "IMAGE_STORE_URL" in str(error)
