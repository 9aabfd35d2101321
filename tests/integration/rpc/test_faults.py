"""Deadlines, cancellation, senders that dawdle, and servers that go away in the middle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from faces.config import Settings
from faces.messaging.rpc import Requester
from faces.messaging.topology import SEARCHES
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries
from local.process import until
from rest.bounds import Bounds
from tests.support.clients.rpc_client import SECONDS, Client, connected, refused, running
from tests.support.clients.rpc_client import messages as m
from tests.support.drawing import drawing

PICTURE = drawing(9, (140, 110))
LARGE = drawing(9, (700, 700), "BMP")


class Dripping:
    """An upload of which the first half comes at once and the rest when told."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Any]:
        half = len(self._data) // 2
        yield m.ScanImageRequest(name="dripping", chunk=self._data[:half])
        self.begun.set()
        self.go_on.wait(SECONDS)
        yield m.ScanImageRequest(chunk=self._data[half:])


@pytest.fixture(scope="module")
def redis(both: Settings) -> Iterator[RedisClient]:
    with closing(RedisClient(both)) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(both: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of a fleet without workers: nothing is ever processed."""
    with running(both, tmp_path_factory.mktemp("rpc")) as (_, port), connected(port) as client:
        yield client


def unknown(redis: RedisClient, data: bytes) -> bool:
    return queries.statuses(redis, [picture_id_of(data)]) == [None]


def busy(call: Callable[[], object]) -> bool:
    return refused(call) == ("UNAVAILABLE", "busy")


@pytest.mark.parametrize("leave", ["deadline", "cancel"])
def test_one_who_leaves_makes_room(client: Client, leave: str) -> None:
    """As many wait as may, for a minute each; once they have gone, others may."""
    picture = client.scan(PICTURE).hash
    long, short = (m.GetImageRequest(hash=picture, wait=wait) for wait in (60, 0.1))
    most = Bounds.of(Settings(rest_threads=4)).waits
    seconds = 1.0 if leave == "deadline" else 2 * SECONDS
    waiting = [client.stub.GetImage.future(long, timeout=seconds) for _ in range(most)]
    if leave == "cancel":
        assert until(lambda: busy(partial(client.stub.GetImage, long, timeout=0.5)), 60)
        for call in waiting:
            call.cancel()
    for call in waiting:
        with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)):
            call.result()

    def served() -> bool:
        try:
            return bool(client.stub.GetImage(short, timeout=SECONDS).state == "pending")
        except grpc.RpcError:
            return False

    assert until(served, 60)


def test_an_answer_that_nobody_wants_is_not_waited_for(both: Settings) -> None:
    gone = threading.Event()
    with closing(Requester(both)) as requester:
        threading.Timer(0.2, gone.set).start()
        ended = threading.Event()

        def ask() -> None:
            requester.ask(SEARCHES, {}, b"", 10 * SECONDS, gone)
            ended.set()

        thread = threading.Thread(target=ask)
        thread.start()
        assert ended.wait(SECONDS)
        thread.join()


def test_a_search_that_no_worker_takes_says_so(client: Client) -> None:
    assert refused(lambda: client.search(PICTURE)) == ("UNAVAILABLE", "no_worker")


def test_an_upload_that_is_cancelled_leaves_nothing(client: Client, redis: RedisClient) -> None:
    dripping = Dripping(LARGE)
    call = client.stub.ScanImage.future(iter(dripping), timeout=2 * SECONDS)
    assert dripping.begun.wait(SECONDS)
    call.cancel()
    dripping.go_on.set()
    assert client.scan(PICTURE).hash
    assert unknown(redis, LARGE)


def test_an_upload_that_takes_too_long_is_refused(both: Settings, redis: RedisClient, tmp_path: Path) -> None:
    dripping = Dripping(LARGE)
    with running(both, tmp_path, REQUEST_TIMEOUT="1") as (_, port), connected(port) as client:
        assert refused(lambda: client.call("ScanImage", iter(dripping))) == (
            "DEADLINE_EXCEEDED",
            "request_timeout",
        )
        dripping.go_on.set()
    assert unknown(redis, LARGE)


def test_a_server_killed_in_an_upload_leaves_nothing(
    both: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    dripping = Dripping(LARGE)
    with running(both, tmp_path) as (process, port), connected(port) as client:
        call = client.stub.ScanImage.future(iter(dripping), timeout=2 * SECONDS)
        assert dripping.begun.wait(SECONDS)
        process.kill()
        assert call.code() == grpc.StatusCode.UNAVAILABLE
        dripping.go_on.set()
    assert unknown(redis, LARGE)
    with running(both, tmp_path) as (_, port), connected(port) as client:
        assert client.scan(LARGE).new


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_watcher_goes_on_at_the_next_server(both: Settings, tmp_path: Path, how: str) -> None:
    with running(both, tmp_path) as (process, port), connected(port) as client:
        replies = client.watch()
        seen = next(replies).id
        ends = {"killed": process.kill, "stopped": process.stop}
        thread = threading.Thread(target=ends[how])
        thread.start()
        status, code = refused(lambda: list(replies))
        thread.join()
        assert (status, code) == ("UNAVAILABLE", "" if how == "killed" else "unavailable")
        assert process.exit_code == (0 if how == "stopped" else process.exit_code)
    with running(both, tmp_path) as (_, port), connected(port) as client:
        sent = client.scan(drawing(10 + len(how), (141, 111)), how).hash
        reply = next(reply for reply in client.watch(after=seen) if reply.HasField("event"))
        assert (reply.event.kind, reply.event.hash) == ("accepted", sent)
