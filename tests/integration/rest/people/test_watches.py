"""Watches for a person over HTTP."""

from __future__ import annotations

import time
from dataclasses import replace

from flask.testing import FlaskClient

from faces.store.client import RedisClient
from faces.store.events import stream
from faces.store.keys import HOME, status_key
from faces.store.pictures import queries
from faces.usecases.event_details import detailed
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.integration.rest.people.asking import ANN, BOB, ids, say
from tests.support.server import problem
from tests.support.writing import picture


def test_a_watched_person_is_told_of_once_in_new_pictures(client: FlaskClient, redis: RedisClient) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [ANN], 1: [ANN], 2: [BOB]})
    kept = caught_up(follower(redis))
    ann, bob = ids(client)
    watch = client.post("/v1/watches", json={"person": ann}).get_json()
    assert (watch["prefix"], watch["person"]) == ("", ann)
    assert client.post("/v1/watches", json={"person": ann}).get_json() == watch
    assert problem(client.post("/v1/watches", json={"person": "999"})) == (404, "not_found")
    assert problem(client.post("/v1/watches", json={"person": ann, "prefix": "a"})) == (400, "bad_request")
    start = stream.latest(redis)
    fleet.commit({3: [BOB], 4: [ANN, BOB]})
    caught_up(kept)
    (match,) = (event for event in stream.read(redis, start) if event.kind == "match")
    assert (match.hash, match.person, match.watches) == (picture(4), ann, (watch["id"],))
    with answering(kept):
        say(client, "same", bob, ann)
    start = stream.latest(redis)
    fleet.commit({5: [BOB]})
    caught_up(kept)
    (document,) = detailed(redis, [event for event in stream.read(redis, start) if event.kind == "match"])
    assert (document["names"], document["matching"], document["person"]) == (["5"], [], bob)


def test_what_is_grouped_afresh_is_no_news(client: FlaskClient, redis: RedisClient) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [ANN]})
    kept = caught_up(follower(redis))
    (ann,) = ids(client)
    with answering(kept):
        say(client, "name", ann, name="Ann")  # so that her group keeps its id
    client.post("/v1/watches", json={"person": ann})
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    redis.ask((HOME, "SET", status_key(picture(0)), replace(status, finished=time.time() - 7200).to_json()))
    start = stream.latest(redis)
    kept.start_over()
    caught_up(kept)
    assert stream.read(redis, start) == []
