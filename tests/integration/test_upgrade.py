"""Data and messages that release 0.1.0 wrote (`tests/data/0.1.0`), under the present code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from faces.api_key import Key
from faces.errors import MismatchError
from faces.messaging.message import decode
from faces.store.access import api_keys, audit_log
from faces.store.client import Command, RedisClient, Session
from faces.store.collection import data_version, journal
from faces.store.collection.data_version import DataVersion, agree, migrate
from faces.store.events.webhooks import Progress, Webhook
from faces.store.keys import SCHEMA
from faces.store.pictures import queries
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.erase import erase
from faces.store.pictures.outcome import Outcome
from faces.store.videos import Video
from tests.support.committing import face
from tests.support.rules import faults, read_all
from worker.index.face_index import FaceIndex

DATA = Path(__file__).parents[1] / "data" / "0.1.0"
MADE_WITH = DataVersion("dlib-resnet-v1-mirror", 0.6)


@pytest.fixture
def old(redis: RedisClient) -> RedisClient:
    """A Redis with everything that the old release can leave there."""
    commands = json.loads((DATA / "redis.json").read_text())
    redis.ask(*((database, *(word.encode("latin-1") for word in words)) for database, *words in commands))
    return redis


def messages() -> list[tuple[dict[str, Any], bytes]]:
    return [
        (m["headers"], m["body"].encode("latin-1")) for m in json.loads((DATA / "messages.json").read_text())
    ]


def test_everything_is_read(old: RedisClient) -> None:
    agree(old, MADE_WITH)
    assert queries.counts(old) == queries.Counts(accepted=8, done=4, failed=1, erased=1, in_flight=2)
    assert faults(read_all(old)) == []
    states = {
        state: queries.status_with_names(old, picture_id) for picture_id, state in pictures(old).items()
    }
    done, failed, pending = states["done"], states["failed"], states["pending"]
    assert done is not None
    assert done.names
    assert failed is not None
    assert (failed.code, failed.names) == ("truncated", ["cut.jpg"])
    assert pending is not None
    assert [key.name for key in api_keys.every(old)] == ["Ann"]
    assert [entry.did for entry in audit_log.last(old, 10)] == ["scan"]
    assert len(journal.read(old, 0, 100)) == 5


def pictures(redis: RedisClient) -> dict[str, str]:
    (keys,) = redis.ask((0, "KEYS", "status:*"))
    found = queries.statuses(redis, [key.decode().removeprefix("status:") for key in keys])
    return {status.hash: status.state for status in found if status is not None}


def test_work_goes_on(old: RedisClient) -> None:
    waiting, stored, erased = (decode(headers, body) for headers, body in messages())
    agree(old, MADE_WITH)
    known = FaceIndex(MADE_WITH.tolerance)
    known.follow(old)
    assert len(known) == 4
    found = [DetectionResult(m.picture_id, [{}], (face(1, 6),)) for m in (waiting, stored, erased)]
    committed = commit(old, found, MADE_WITH, lambda: known.place, known.compare(found).catch_up)
    assert committed.outcomes == [Outcome.DONE, Outcome.DONE, Outcome.GONE]
    known.add_committed(found[:2], committed.mark)
    state = read_all(old)
    assert faults(state) == []
    assert state.names["waiting.jpg"] == waiting.picture_id
    assert state.names["https://example.org/stored.jpg"] == stored.picture_id
    assert erase(old, waiting.picture_id).names == ["waiting.jpg"]
    known.follow(old)
    assert len(known) == 5
    assert queries.counts(old).unaccounted == 0


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (Key, {"id": "a", "name": "Ann", "scopes": ["read"], "digest": "", "created": 0.0}),
        (Webhook, {"id": "a", "url": "https://example.org", "secret": "x", "kinds": []}),
        (Progress, {"after": "0-0"}),
        (Video, {"hash": "a", "name": "a.mp4", "state": "done", "accepted": 0.0, "size": 1}),
    ],
)
def test_what_a_later_release_has_added_does_no_harm_while_it_is_rolled_out(
    kind: Any, document: dict[str, Any]
) -> None:
    now, later = (json.dumps(values).encode() for values in (document, {**document, "added": 1}))
    assert kind.from_json(later) == kind.from_json(now)


def test_an_older_layout_is_migrated_step_by_step(old: RedisClient) -> None:
    walked = []

    def step(number: int) -> data_version.Migration:
        def migration(session: Session) -> Sequence[Command]:
            (model,) = session.ask((0, "HGET", "meta", "model"))
            walked.append(number)
            if walked == [1]:
                old.ask(
                    (0, "HSET", "meta", "next", "x"), (0, "HDEL", "meta", "next")
                )  # another worker is at it
            return [(0, "HSET", "meta", "model", model + b"!")]

        return migration

    migrate(old, {SCHEMA: ("2", step(1)), "2": ("3", step(2))})
    assert walked == [1, 1, 2]
    assert old.ask((0, "HMGET", "meta", "schema", "model")) == [[b"3", b"dlib-resnet-v1-mirror!!"]]
    with pytest.raises(MismatchError, match="schema 3"):
        agree(old, MADE_WITH)
    migrate(old, {SCHEMA: ("2", step(1))})
    assert walked == [1, 1, 2], "a newer layout is left alone"
