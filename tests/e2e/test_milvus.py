"""Whole workers whose faces lie in Milvus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.__main__ import main
from faces.store.client import RedisClient
from faces.store.collection import copying, journal
from faces.store.pictures.erase import erase
from local.process import until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.milvus import MilvusServer
from tests.support.photographs import NEAREST_FIRST, OBAMA
from tests.support.rules import faults, read_all


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[MilvusServer]:
    server = MilvusServer(tmp_path)
    server.start()
    yield server
    server.stop()


def copied(redis: RedisClient) -> bool:
    """Whether the collection has followed the journal to its end."""
    end = len(journal.read(redis, 0, 1000))
    return copying.read(redis).position == end


def test_pictures_match_across_workers_restarts_and_the_collection(
    fleet: Fleet, photographs: Path, milvus: MilvusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(name: str) -> str:
        sent = fleet.scan((photographs / name).read_bytes(), name)
        fleet.wait()
        return sent

    fleet.start("rest")
    worker = fleet.start("worker", INDEX_URL=milvus.url)
    assert until(fleet._answers, SECONDS)
    sent = [send(name) for name in OBAMA[:2]]
    biden = send("biden.jpg")
    erase(
        fleet.redis, biden
    )  # what is erased leaves Milvus at once, and all that is in memory goes there with it
    assert until(lambda: copied(fleet.redis), SECONDS), worker.last_lines()

    worker.stop()
    fleet.start("worker", INDEX_URL=milvus.url)
    sent.append(send(OBAMA[2]))
    fleet.start("worker", INDEX_URL=milvus.url)
    assert send("biden.jpg") == biden
    for name, picture in zip(OBAMA, sent, strict=True):
        assert fleet.match(picture) == NEAREST_FIRST[name]
    assert fleet.match(biden) == []
    assert faults(read_all(fleet.redis)) == []

    monkeypatch.setenv("REDIS_PORT", str(fleet.settings.redis_port))
    monkeypatch.setenv("RABBITMQ_PORT", str(fleet.settings.rabbitmq_port))
    monkeypatch.setenv("INDEX_URL", milvus.url)
    erase(fleet.redis, sent[0])
    assert until(lambda: main(["check", "--residue", sent[0]]) == 0, SECONDS)
    assert main(["check"]) == 0


def test_residue_tells_of_a_collection(
    fleet: Fleet, milvus: MilvusServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from worker.index.milvus import Milvus  # noqa: PLC0415 -- not before it is needed, as in a worker

    left, gone = "ab" * 32, "cd" * 32
    collection = Milvus(milvus.url, "", 0.6)
    collection.open("faces_of_old", empty=True)
    collection.add([(0, bytes.fromhex(left), (bytes(512),))])
    monkeypatch.setenv("REDIS_PORT", str(fleet.settings.redis_port))
    monkeypatch.setenv("RABBITMQ_PORT", str(fleet.settings.rabbitmq_port))
    monkeypatch.setenv("INDEX_URL", milvus.url)
    assert main(["check", "--residue", left]) == 1
    assert "Milvus, collection faces_of_old" in capsys.readouterr().out
    assert main(["check", "--residue", gone]) == 0
    milvus.stop()
    assert main(["check", "--residue", left]) == 2
    assert "Milvus is not reachable" in capsys.readouterr().err
