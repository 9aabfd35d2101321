"""The event stream: one event for each thing that happens, in its transaction, and no name left behind."""

from __future__ import annotations

import threading

import pytest

from faces.store.client import RedisClient
from faces.store.events import stream, watches, webhooks
from faces.store.events.stream import BEGINNING, Event
from faces.store.events.webhooks import Progress, Webhook
from faces.store.keys import EVENTS, HOME, WATCHES, erased_key
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.withdraw import withdraw
from faces.usecases.event_details import detailed
from tests.support.writing import Writer, picture


def told(redis: RedisClient) -> list[Event]:
    return stream.read(redis, BEGINNING)


def kinds(redis: RedisClient) -> list[tuple[str, str]]:
    return [(event.kind, event.hash) for event in told(redis)]


def test_a_picture_is_told_of_when_it_is_accepted_done_and_erased(redis: RedisClient) -> None:
    writer = Writer(redis)
    writer.add(1)
    erase(redis, picture(1))
    assert kinds(redis) == [("accepted", picture(1)), ("done", picture(1)), ("erased", picture(1))]


def test_figures_are_those_of_the_commit(redis: RedisClient) -> None:
    writer = Writer(redis)
    writer.add(1, 8, 15)  # all of person 1
    done = [event for event in told(redis) if event.kind == "done"]
    assert [(event.faces, event.matches) for event in done] == [(1, 2), (2, 2), (1, 2)]


def test_a_picture_without_faces_is_told_of_as_such(redis: RedisClient) -> None:
    writer = Writer(redis)
    accept(redis, picture(1), "empty")
    writer.commit([DetectionResult(picture(1))])
    assert kinds(redis)[-1] == ("no_face", picture(1))


def test_a_failure_is_told_of_with_its_reason(redis: RedisClient) -> None:
    accept(redis, picture(1), "broken")
    fail(redis, picture(1), "damaged", "it is cut short")
    event = told(redis)[-1]
    assert (event.kind, event.code, event.reason) == ("failed", "damaged", "it is cut short")


def test_what_changes_nothing_is_not_told_of(redis: RedisClient) -> None:
    writer = Writer(redis)
    writer.add(1)
    before = kinds(redis)
    writer.commit([writer.found(1)])  # delivered again
    accept(redis, picture(1), "another name")
    fail(redis, picture(1), "damaged", "too late")
    erase(redis, picture(2))
    assert kinds(redis) == before


def test_a_picture_that_could_not_be_queued_is_told_of_as_failed(redis: RedisClient) -> None:
    receipt = accept(redis, picture(1), "a")
    assert withdraw(redis, receipt)
    assert [(e.kind, e.code) for e in told(redis)] == [("accepted", None), ("failed", "not_queued")]


def test_readers_get_names_and_times_and_the_stream_has_no_name(redis: RedisClient) -> None:
    writer = Writer(redis)
    accept(redis, picture(1), "Anna")
    assert detailed(redis, told(redis))[0]["names"] == ["Anna"]
    writer.commit([writer.found(1)])
    accepted, done = detailed(redis, told(redis))
    assert accepted["names"] == done["names"] == ["Anna"]
    assert accepted["accepted"] <= done["finished"] <= done["time"] + 1
    assert (done["model"], done["faces"], done["matches"]) == ("test", 1, 0)
    assert b"Anna" not in repr(redis.ask((HOME, "XRANGE", EVENTS, "-", "+"))).encode()


def test_names_of_an_erased_picture_are_told_for_a_minute_and_then_unknown(redis: RedisClient) -> None:
    Writer(redis).add(1)
    erase(redis, picture(1))
    assert detailed(redis, told(redis))[-1]["names"] == ["1"]
    (left,) = redis.ask((HOME, "TTL", erased_key(picture(1))))
    assert 0 < left <= 60
    redis.ask((HOME, "DEL", erased_key(picture(1))))  # as time would
    assert [d["names"] for d in detailed(redis, told(redis))] == [[], [], []]


def test_a_watch_on_a_prefix_tells_of_matches_with_such_names_only(redis: RedisClient) -> None:
    writer = Writer(redis)
    writer.add(1, 2)
    accept(redis, picture(1), "wanted/anna")
    watch = watches.add(redis, "wanted/")
    assert watches.add(redis, "wanted/") == watch
    writer.add(8, 9)  # persons 1 and 2
    (match,) = [event for event in told(redis) if event.kind == "match"]
    assert (match.hash, match.matching, match.watches) == (picture(8), (picture(1),), (watch.id,))
    (document,) = detailed(redis, [match])
    assert document["matching"] == [{"hash": picture(1), "names": ["1", "wanted/anna"]}]
    assert watches.remove(redis, watch.id)
    writer.add(15)
    assert [event.kind for event in told(redis)].count("match") == 1


def test_a_watch_on_all_tells_of_every_match(redis: RedisClient) -> None:
    writer = Writer(redis)
    watches.add(redis, "")
    writer.add(1)
    assert "match" not in [event.kind for event in told(redis)]
    writer.add(8)
    assert told(redis)[-1].matching == (picture(1),)


@pytest.mark.parametrize("document", ["{", "[]", '{"id": "x"}', '{"id": "x", "prefix": null}'])
def test_a_watch_that_is_damaged_ends_no_commit_and_no_other_watch(redis: RedisClient, document: str) -> None:
    watch = watches.add(redis, "")
    redis.ask((HOME, "HSET", WATCHES, "x", document))
    writer = Writer(redis)
    writer.add(1, 8)
    assert told(redis)[-1].watches == (watch.id,)
    assert watches.every(redis) == [watch]


def test_a_reader_learns_whether_events_after_its_position_are_lost(redis: RedisClient) -> None:
    for number in range(5):
        accept(redis, picture(number), str(number))
    first, second, *_, last = [event.id for event in told(redis)]
    assert [stream.resume(redis, at) for at in (BEGINNING, first, last)] == [
        (BEGINNING, False),
        (first, False),
        (last, False),
    ]
    redis.ask((HOME, "XTRIM", EVENTS, "MAXLEN", 3))
    left = told(redis)
    for at in (first, second):
        position, lost = stream.resume(redis, at)
        assert lost
        assert stream.read(redis, position) == left
    assert stream.resume(redis, last) == (last, False)
    assert stream.resume(redis, "99999999999999-0") == (last, True), "of a Redis that has lost its data since"
    redis.ask((HOME, "DEL", EVENTS))
    assert stream.resume(redis, last) == (BEGINNING, True)
    assert stream.latest(redis) == BEGINNING


def test_how_long_webhooks_wait_is_known(redis: RedisClient) -> None:
    """That of the one that waits longest; one that is paused waits for people."""
    assert webhooks.waiting_since(redis) is None
    slow, paused = (add_webhook(redis) for _ in range(2))
    assert webhooks.waiting_since(redis) is None
    Writer(redis).add(1)
    accepted, done = told(redis)
    assert webhooks.waiting_since(redis) == accepted.time
    note_progress(redis, slow, Progress(after=accepted.id))
    note_progress(redis, paused, Progress(after=BEGINNING, paused=True))
    assert webhooks.waiting_since(redis) == done.time
    note_progress(redis, slow, Progress(after=done.id))
    assert webhooks.waiting_since(redis) is None


def add_webhook(redis: RedisClient) -> str:
    hook = Webhook(id="", url="https://example.org", secret="")
    return webhooks.add(redis, hook, stream.latest(redis)).id


def note_progress(redis: RedisClient, number: str, now: Progress) -> None:
    assert webhooks.advance(redis, number, webhooks.progress(redis)[number], now)


def test_a_waiting_reader_gets_an_event_at_once(redis: RedisClient) -> None:
    found: list[Event] = []
    reader = threading.Thread(target=lambda: found.extend(stream.read(redis, BEGINNING, wait=20)))
    reader.start()
    accept(redis, picture(1), "a")
    reader.join(60)
    assert [event.kind for event in found] == ["accepted"]


def test_what_cannot_be_read_does_not_end_anybodys_events(redis: RedisClient) -> None:
    redis.ask((HOME, "XADD", EVENTS, "*", "kind", "done", "hash", picture(1), "faces", "many", "new", "x"))
    redis.ask((HOME, "SET", f"status:{picture(1)}", "{"))
    (document,) = detailed(redis, told(redis))
    assert (document["kind"], document["faces"], document["names"]) == ("done", 0, [])


@pytest.mark.parametrize(
    "number", ["", "1", "1-", "-1", "1-1-1", "a-0", "$", "1" * 21 + "-0", f"{1 << 64}-0", "\u0661-0"]
)
def test_what_is_no_id_is_refused(redis: RedisClient, number: str) -> None:
    with pytest.raises(ValueError, match="is not the id of an event"):
        stream.resume(redis, number)
