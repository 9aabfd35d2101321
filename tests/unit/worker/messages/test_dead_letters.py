"""What becomes of messages that cannot be read, or not yet."""

from __future__ import annotations

import pytest

from faces.messaging.topology import retry_queue
from tests.support.processing import IDS, PICTURES, Acknowledged, FakeJobs
from worker.messages.dead_letters import MAX_HEADER_BYTES, printable
from worker.messages.retry import MAX_RETRIES


def test_a_message_that_cannot_be_read_becomes_a_dead_letter() -> None:
    worker = Acknowledged(FakeJobs())
    worker.work("a", headers={"version": 0, "list": [1]})
    ((exchange, _, headers, body, _),) = worker.publisher.published
    assert exchange == "pictures.dead"
    assert body == PICTURES[0]
    assert "version is 0" in headers["reason"]
    assert "list" not in headers
    assert worker.names == ["a"]
    status = worker.redis.status(IDS[0])
    assert status is not None
    assert (status.state, status.code) == ("failed", "dead_letter"), "it has no other message"


def test_a_newer_message_waits_for_a_newer_worker_as_it_is() -> None:
    worker = Acknowledged(FakeJobs())
    worker.work("a", headers={"version": 99, "attempt": 2, "colour": "blue"})
    ((exchange, key, headers, body, wait),) = worker.publisher.published
    assert (exchange, key, body) == ("", retry_queue(30), PICTURES[0])
    assert (headers["version"], headers["attempt"], headers["colour"]) == (99, 3, "blue")
    assert wait is not None
    assert worker.names == ["a"]
    status = worker.redis.status(IDS[0])
    assert status is not None
    assert status.state == "pending"


def test_a_newer_message_is_buried_in_the_end() -> None:
    worker = Acknowledged(FakeJobs())
    worker.work("a", headers={"version": 99, "attempt": MAX_RETRIES})
    ((exchange, _, headers, _, _),) = worker.publisher.published
    assert exchange == "pictures.dead"
    assert "version 99 is newer" in headers["reason"]


@pytest.mark.parametrize(
    "headers",
    [{"version": 99}, {"version": 99, "attempt": MAX_RETRIES}, {"version": 0}, {"attempt": -1}],
    ids=["newer", "newer, for the last time", "older", "damaged"],
)
def test_of_an_erased_picture_no_message_is_kept_and_the_log_tells(headers: dict[str, object]) -> None:
    worker = Acknowledged(FakeJobs())
    worker.redis.strings.clear()
    worker.work("a", headers=headers)
    assert worker.publisher.published == []
    assert worker.names == ["a"]
    assert worker.event_log.said == ["dropped"]
    (line,) = worker.event_log.lines
    assert (line["hash"], line["name"]) == (IDS[0], "a")
    assert "erased or never accepted: message rejected: " in line["reason"]


@pytest.mark.parametrize("claimed", ["../../etc/passwd", 5, None])
def test_what_names_no_picture_becomes_a_dead_letter(claimed: object) -> None:
    worker = Acknowledged(FakeJobs())
    worker.redis.strings.clear()
    worker.work("a", headers={"hash": claimed})
    assert [exchange for exchange, *_ in worker.publisher.published] == ["pictures.dead"]


def test_headers_that_cannot_be_published_are_left_out() -> None:
    assert printable({"a": "text", "b": 7, "c": 1.5, "d": b"bytes", "e": 1 << 63, "f": None}) == {
        "a": "text",
        "b": 7,
    }
    assert printable({"large": "x" * MAX_HEADER_BYTES, "a": "text"}) == {}
