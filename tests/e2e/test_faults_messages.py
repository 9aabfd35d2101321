"""Messages that nobody vouches for, and an image store that is away."""

from __future__ import annotations

import json
import re
import struct
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import requests

from faces.config import Settings
from faces.messaging.amqp import Publisher, connect
from faces.messaging.message import Message, encode
from faces.messaging.queues import depths
from faces.messaging.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE, PICTURES_QUEUE, SEARCHES
from faces.picture_id import picture_id_of
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from local.process import until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.drawing import drawing
from tests.support.processes.workers import quick_worker
from worker.messages.retry import MAX_RETRIES

TIME = datetime(2000, 1, 1, tzinfo=UTC)
WITNESS = "touched by what was in a message"
BODY = b"some bytes"
ROUGH = encode(Message(picture_id_of(BODY), "a name", BODY))[0]


class Unreadable(pika.BasicProperties):  # type: ignore[misc]  # pika has no types
    """Properties with a time in the headers that is beyond what Python's dates hold."""

    def encode(self) -> list[bytes]:
        self.headers = {"when": TIME}
        fair, foul = (struct.pack(">cQ", b"T", t) for t in (int(TIME.timestamp()), (1 << 63) - 1))
        return [foul if piece == fair else piece for piece in super().encode()]


def jsonpickle_bomb(witness: Path) -> bytes:
    """What a careless `jsonpickle.decode` would run."""
    return json.dumps(
        {"py/reduce": [{"py/function": "pathlib.Path.touch"}, {"py/tuple": [str(witness)]}]}
    ).encode()


def dead_letters(settings: Settings, count: int) -> list[tuple[dict[str, Any], bytes]]:
    """Take the dead letters, once there are as many."""
    assert until(lambda: {d.queue: d.ready for d in depths(settings)}[DEAD] == count, SECONDS)
    with closing(connect(settings)) as connection:
        channel = connection.channel()
        got = [channel.basic_get(DEAD, auto_ack=True) for _ in range(count)]
    return [(properties.headers, body) for _, properties, body in got]


def test_what_is_not_ours_is_a_dead_letter_with_a_reason_and_nothing_of_it_is_executed(
    fleet: Fleet, tmp_path: Path
) -> None:
    witness = tmp_path / WITNESS
    bomb = jsonpickle_bomb(witness)
    messages: list[tuple[dict[str, Any] | None, bytes]] = [
        (None, b"garbage"),
        ({}, b""),
        (None, bomb),
        ({**ROUGH, "hash": picture_id_of(bomb), "version": 99, "attempt": MAX_RETRIES}, bomb),
        ({**ROUGH, "hash": "0" * 64}, BODY),
        ({**ROUGH, "hash": "../../etc/passwd", "stored": True}, b""),
        ({**ROUGH, "attempt": -1}, BODY),
        ({"much": "x" * 120_000}, BODY),
        ({"nested": {"a": [{"b": TIME}]}, "large": 2**62}, BODY),
    ]
    claimed = [picture_id_of(bomb), "0" * 64, ROUGH["hash"]]
    for picture_id in claimed:  # of others no message is kept
        accept(fleet.redis, picture_id, "a name")
    with closing(Publisher(fleet.settings)) as publisher:
        for headers, body in messages:
            publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, headers or {}, body)
        stranger = {**ROUGH, "hash": "1" * 64}
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, stranger, BODY)
    worker = quick_worker(fleet, tmp_path)
    letters = dead_letters(fleet.settings, len(messages))
    assert sorted(body for _, body in letters) == sorted(body for _, body in messages)
    reasons = {headers["reason"] for headers, _ in letters}
    assert all(reason.startswith("message rejected: ") for reason in reasons), reasons
    assert not witness.exists()
    assert worker.pid is not None
    statuses = queries.statuses(fleet.redis, claimed)
    assert {status and status.code for status in statuses} == {"dead_letter"}
    assert until(lambda: {d.queue: d.ready for d in depths(fleet.settings)}[PICTURES_QUEUE] == 0, SECONDS)


def test_a_message_that_cannot_even_be_read_takes_no_others_along(fleet: Fleet, tmp_path: Path) -> None:
    fleet.start_all(workers=0)
    with closing(connect(fleet.settings)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(PICTURES_EXCHANGE, PICTURE_KEY, b"unreadable", Unreadable(delivery_mode=2))
    good = [fleet.scan(drawing(seed), str(seed)) for seed in range(20)]
    worker = quick_worker(fleet, tmp_path)
    fleet.wait()
    assert [fleet.status(picture)["state"] for picture in good] == ["done"] * 20
    assert worker.pid is not None
    assert until(lambda: {d.queue: d.ready for d in depths(fleet.settings)}[DEAD] == 1, SECONDS)


def test_a_worker_whose_queues_are_deleted_goes_on(fleet: Fleet, tmp_path: Path) -> None:
    fleet.start_all(workers=0)
    quick_worker(fleet, tmp_path)
    first = fleet.scan(drawing(1), "first")
    fleet.wait()

    def sent(path: str, seed: int) -> bool:
        return requests.post(f"{fleet.url}{path}", data=drawing(seed), timeout=60).ok

    with closing(connect(fleet.settings)) as connection:
        for queue in (PICTURES_QUEUE, SEARCHES):
            connection.channel().queue_delete(queue)
    assert until(
        lambda: sent("/scan/image/second", 2), SECONDS
    )  # 503 until somebody has made the queue again
    fleet.wait(60)
    assert fleet.match(first) == ["second"]
    assert until(lambda: sent("/v1/search", 3), 60)


def test_a_picture_that_is_not_in_the_image_store_fails(fleet: Fleet, tmp_path: Path) -> None:
    accept(fleet.redis, ROUGH["hash"], "a name")
    headers, body = encode(Message(ROUGH["hash"], "a name", None))
    with closing(Publisher(fleet.settings)) as publisher:
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, headers, body)
    (tmp_path / "images").mkdir()
    quick_worker(fleet, tmp_path, IMAGE_STORE_URL=f"file://{tmp_path}/images")
    fleet.wait()
    (status,) = queries.statuses(fleet.redis, [ROUGH["hash"]])
    assert status is not None
    assert (status.state, status.code) == ("failed", "missing")


def test_while_the_image_store_is_away_pictures_wait_longer_each_time_and_are_done_when_it_is_back(
    fleet: Fleet, tmp_path: Path
) -> None:
    images, away = tmp_path / "images", tmp_path / "away"
    fleet.start("rest", IMAGE_STORE_URL=f"file://{images}")
    assert until(fleet._answers, SECONDS)
    sent = [fleet.scan(drawing(seed), str(seed)) for seed in range(3)]
    images.rename(away)
    images.touch()  # a file where the folder was: what is below it cannot be reached
    worker = quick_worker(fleet, tmp_path, IMAGE_STORE_URL=f"file://{images}")
    waits: list[float] = []

    def twice_each() -> bool:
        waits[:] = [
            float(wait)
            for wait in re.findall(r'"event": "retried".*"wait": ([\d.]+)', worker.log.read_text())
        ]
        return len(waits) >= 2 * len(sent)

    assert until(twice_each, SECONDS)
    assert max(waits[:3]) <= 1
    assert min(waits[3:6]) >= 2.5
    images.unlink()
    away.rename(images)
    fleet.wait()
    assert [fleet.status(picture)["state"] for picture in sent] == ["done"] * 3
