"""What holds wherever the faces are kept: in each worker's memory, or in Milvus for all of them."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from faces.config import Settings
from faces.errors import MismatchError, StoreError
from faces.store.client import RedisClient
from faces.store.collection import copying
from faces.store.collection.data_version import agree
from faces.store.pictures.erase import erase
from tests.support.committing import face, found, picture
from tests.support.index_backends import BASIS, MakeKnown, backup, in_memory, restore, scan, shared_maker
from tests.support.milvus import MilvusServer
from tests.support.rules import brute_force, faults, read_all
from worker.index import face_index as knowing
from worker.index.face_index import FaceIndex, vectors


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "milvus"])
def make_known(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, redis: RedisClient
) -> MakeKnown:
    """What a fresh worker knows, of each kind; so few faces in memory that most lie in Milvus."""
    agree(redis, BASIS)
    if request.param == "memory":
        return in_memory
    monkeypatch.setattr(knowing, "IN_MEMORY", 5)
    return shared_maker(request.getfixturevalue("milvus").url)


def test_each_picture_matches_all_before(redis: RedisClient, make_known: MakeKnown) -> None:
    known = make_known(redis)
    for number in range(20):
        scan(redis, known, found(2 * number, number % 4), found(2 * number + 1, number % 4, 7))
    state = read_all(redis)
    assert faults(state) == []
    assert len(state.matches[picture(0)]) == 9


def test_a_fresh_worker_knows_what_others_committed(redis: RedisClient, make_known: MakeKnown) -> None:
    first = make_known(redis)
    for number in range(12):
        scan(redis, first, found(number, number % 3))
    for number in range(12, 20):
        scan(redis, make_known(redis), found(number, number % 3))
    assert faults(read_all(redis)) == []


def test_what_is_erased_matches_no_more_and_may_come_back(redis: RedisClient, make_known: MakeKnown) -> None:
    first, second = make_known(redis), make_known(redis)
    for number in range(8):
        scan(redis, first, found(number, 1))
    second.follow(redis)
    erase(redis, picture(3))
    scan(redis, second, found(8, 1))
    assert picture(3) not in read_all(redis).matches[picture(8)]
    scan(redis, first, found(3, 1))
    scan(redis, second, found(9, 1))
    assert picture(3) in read_all(redis).matches[picture(9)]
    assert faults(read_all(redis)) == []


def work(settings: Settings, url: str | None, seed: int, start: Any) -> None:
    """Commit pictures of the same four people, restarting now and then, and erase some."""
    knowing.IN_MEMORY = 5
    rng, redis = random.Random(seed), RedisClient(settings)
    make = shared_maker(url) if url else in_memory
    known = make(redis)
    start.wait(300)  # for the other to have imported all it needs
    for number in range(seed, 60, 2):
        scan(redis, known, found(number, number % 4), found(100 + number, (number + 1) % 4))
        if rng.random() < 0.2:
            erase(redis, picture(rng.randrange(number + 1)))
        if rng.random() < 0.2:
            known = make(redis)
    redis.close()


@pytest.mark.parametrize("shared", [(False, False), (True, True), (True, False)])
def test_two_workers_miss_none_of_each_others_faces(
    store_settings: Settings, redis: RedisClient, milvus: MilvusServer, shared: tuple[bool, bool]
) -> None:
    agree(redis, BASIS)
    spawn = multiprocessing.get_context("spawn")  # a client of gRPC does not survive a fork
    start = spawn.Barrier(2)
    urls = [milvus.url if each else None for each in shared]
    workers = [spawn.Process(target=work, args=(store_settings, url, n, start)) for n, url in enumerate(urls)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    state = read_all(redis)
    assert faults(state) == []
    assert sum(map(len, brute_force(state.encodings, state.tolerance).values())) > 1000
    assert any(shared) == (copying.read(redis).position > 50)


@pytest.fixture
def shared_known(redis: RedisClient, milvus: MilvusServer, monkeypatch: pytest.MonkeyPatch) -> FaceIndex:
    agree(redis, BASIS)
    monkeypatch.setattr(knowing, "IN_MEMORY", 5)
    return shared_maker(milvus.url)(redis)


def test_more_hits_than_one_answer_holds_are_all_found(
    redis: RedisClient, shared_known: FaceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.index import milvus  # noqa: PLC0415 -- as above

    monkeypatch.setattr(milvus, "MAX_HITS", 3)
    for number in range(20):
        scan(redis, shared_known, found(number, 1, 1))
    assert len(shared_known) <= 5
    assert faults(read_all(redis)) == []


def test_what_is_erased_leaves_milvus_at_the_next_look(
    redis: RedisClient, shared_known: FaceIndex, milvus: MilvusServer
) -> None:
    from worker.index.milvus import Milvus  # noqa: PLC0415 -- as above

    for number in range(6):
        scan(redis, shared_known, found(number, 1))
    erase(redis, picture(2))
    shared_known.follow(redis)
    rows = Milvus(milvus.url, "", 0.6)
    rows.open(copying.read(redis).collection, empty=False)
    left = rows.near(vectors([face(1)]), before=100)
    assert left == {bytes.fromhex(picture(number)) for number in range(6) if number != 2}


def test_lines_copied_twice_are_there_once(
    redis: RedisClient, shared_known: FaceIndex, milvus: MilvusServer
) -> None:
    for number in range(6):
        scan(redis, shared_known, found(number, 1))
    shared_known.follow(redis)
    assert copying.reached(redis, copying.read(redis).collection, 2)
    fresh = shared_maker(milvus.url)(redis)
    scan(redis, fresh, found(6, 1))
    scan(redis, shared_known, found(7, 1))
    assert faults(read_all(redis)) == []


def test_another_copying_worker_is_waited_for(redis: RedisClient, shared_known: FaceIndex) -> None:
    assert copying.lease(redis)
    for number in range(10):
        scan(redis, shared_known, found(number, 1))
    assert len(shared_known) == 10
    with pytest.raises(StoreError, match="another worker"):
        shared_known.follow(redis)
    copying.release(redis)
    shared_known.follow(redis)
    assert len(shared_known) == 0


def test_an_emptied_redis_gets_a_new_collection(redis: RedisClient, shared_known: FaceIndex) -> None:
    scan(redis, shared_known, found(0, 1))
    before = copying.read(redis).collection
    redis.ask((0, "FLUSHALL"))
    with pytest.raises(MismatchError, match="restart it"):
        shared_known.follow(redis)
    assert copying.read(redis).collection != before


def test_a_collection_that_is_gone_is_not_taken_for_an_empty_one(
    redis: RedisClient, shared_known: FaceIndex, milvus: MilvusServer
) -> None:
    shared_known.follow(redis)
    redis.ask((0, "HSET", "indexed", "collection", "faces_gone", "position", 3))
    with pytest.raises(MismatchError, match="no collection faces_gone"):
        shared_maker(milvus.url)(redis).follow(redis)


def test_a_redis_that_was_restored_is_noticed(
    redis: RedisClient, shared_known: FaceIndex, milvus: MilvusServer, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10):
        scan(redis, shared_known, found(number, 1))
    saved = backup(redis)
    erase(redis, picture(3))
    shared_known.follow(redis)  # picture 3 leaves the collection
    restore(redis, saved)
    for number in range(10, 12):
        scan(redis, shared_maker(milvus.url)(redis), found(number, 1))
    assert faults(read_all(redis)) == []
    assert "Redis was restored" in caplog.text


def test_a_redis_restored_under_a_running_worker_ends_it(redis: RedisClient, shared_known: FaceIndex) -> None:
    for number in range(10):
        scan(redis, shared_known, found(number, 1))
    saved = backup(redis)
    erase(redis, picture(3))
    shared_known.follow(redis)
    restore(redis, saved)
    erase(redis, picture(4))
    erase(redis, picture(5))
    with pytest.raises(MismatchError, match="restored"):
        shared_known.follow(redis)


def test_a_worker_that_died_while_it_copied_costs_no_new_collection(
    redis: RedisClient, shared_known: FaceIndex, milvus: MilvusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        scan(redis, shared_known, found(number, 1))
    shared_known.follow(redis)
    before = copying.read(redis)
    erase(redis, picture(3))
    monkeypatch.setattr(copying, "reached", lambda *_: False)
    with pytest.raises(MismatchError):
        shared_known.follow(redis)
    monkeypatch.undo()
    scan(redis, shared_maker(milvus.url)(redis), found(10, 1))
    assert copying.read(redis).collection == before.collection
    assert faults(read_all(redis)) == []


def test_a_worker_without_milvus_imports_nothing_of_it() -> None:
    script = "import sys, worker.__main__; sys.exit('pymilvus' in sys.modules or 'grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_milvus_away_is_an_error_that_may_pass(redis: RedisClient) -> None:
    agree(redis, BASIS)
    with pytest.raises(StoreError, match="Milvus is not reachable"):
        shared_maker("http://127.0.0.1:9")(redis).follow(redis)
