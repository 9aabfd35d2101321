"""Rebuilding at the terminal while others write, and after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import closing

import pytest

from client.__main__ import main
from client.checking import snapshot
from client.checking.faults import Faults
from client.gallery import Gallery
from faces.config import Settings
from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import inspection, rebuild
from faces.store.collection.data_version import DataVersion, agree
from faces.store.collection.journal import Entry
from faces.store.pictures import erase
from tests.support.rules import faults, read_all
from tests.support.writing import Writer, picture

pytestmark = pytest.mark.usefixtures("terminal")

STRICT = 0.12  # the faces of one person lie about 0.14 from each other


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PIECE", 4)


@pytest.fixture
def filled(redis: RedisClient) -> Writer:
    writer = Writer(redis)
    writer.add(*range(30))
    erase.erase(redis, picture(14))
    return writer


def test_the_edges_are_those_of_the_new_tolerance(filled: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(faults(read_all(filled.redis), STRICT)) > 5
    assert main(["rebuild", "--tolerance", str(STRICT)]) == 0
    output = capsys.readouterr()
    assert "29" in output.out
    assert f"MATCH_TOLERANCE={STRICT}" in output.err
    assert faults(read_all(filled.redis), STRICT) == []
    agree(filled.redis, DataVersion("test", STRICT))
    assert main(["check"]) == 0


def test_the_tolerance_stays_unless_another_is_wanted(
    filled: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_all(filled.redis)
    filled.redis.ask((4, "DEL", picture(0)), (4, "SADD", picture(1), picture(2)))
    assert main(["rebuild", "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert (found["pictures"], found["tolerance"], found["before"]) == (29, 0.6, 0.6)
    assert "MATCH_TOLERANCE" not in output.err
    assert read_all(filled.redis) == before


def rebuilding(pieces: int) -> None:
    """Rebuild, and be killed when a piece is compared."""
    compare = Gallery.matching
    left = iter(range(pieces))

    def or_die(gallery: Gallery, entries: Sequence[Entry]) -> list[set[str]]:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return compare(gallery, entries)

    Gallery.matching = or_die  # type: ignore[assignment,method-assign]  # in a process that ends here
    main(["rebuild", "--tolerance", str(STRICT)])


def test_a_rebuild_that_was_killed_goes_on_where_it_was(filled: Writer) -> None:
    for pieces, position in ((3, b"12"), (2, b"20")):
        killed = multiprocessing.get_context("fork").Process(target=rebuilding, args=(pieces,))
        killed.start()
        killed.join(60)
        assert killed.exitcode == -signal.SIGKILL
        assert filled.redis.ask((0, "HGET", "rebuild", "position")) == [position]
        assert faults(read_all(filled.redis)) == []
        filled.add(40 + pieces)
    assert main(["rebuild", "--tolerance", str(STRICT)]) == 0
    assert faults(read_all(filled.redis), STRICT) == []
    assert filled.redis.ask((0, "EXISTS", "rebuild"), (5, "DBSIZE")) == [0, 0]


def test_an_interrupted_rebuild_is_given_up(filled: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    gallery = Gallery(STRICT)
    next(rebuild.rebuild(filled.redis, DataVersion("test", STRICT), gallery))
    assert main(["rebuild", "--tolerance", "0.3"]) == 2
    assert f"tolerance {STRICT} is in progress" in capsys.readouterr().err
    assert main(["rebuild", "--abandon"]) == 0
    assert filled.redis.ask((0, "EXISTS", "rebuild"), (5, "DBSIZE")) == [0, 0]
    assert faults(read_all(filled.redis)) == []
    assert main(["rebuild", "--tolerance", "0.3"]) == 0
    assert faults(read_all(filled.redis), 0.3) == []


def work(settings: Settings) -> None:
    with closing(RedisClient(settings)) as own:
        writer = Writer(own)
        for _ in range(40):
            writer.step()


def test_the_fleet_works_on_meanwhile(redis: RedisClient, store_settings: Settings) -> None:
    Writer(redis).add(*range(100, 120))
    worker = multiprocessing.get_context("fork").Process(target=work, args=(store_settings,))
    worker.start()
    rounds = 0
    while worker.is_alive():
        assert main(["rebuild"]) == 0
        assert faults(read_all(redis)) == []
        rounds += 1
    assert (worker.exitcode, rounds > 1) == (0, True)
    assert main(["check"]) == 0


def test_there_is_nothing_to_rebuild_before_the_first_worker(
    redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rebuild"]) == 2
    assert "no worker has started" in capsys.readouterr().err
    redis.ask((0, "HSET", "meta", "schema", "0", "model", "m", "tolerance", "0.6"))
    assert main(["rebuild"]) == 2
    assert "was made with schema 0" in capsys.readouterr().err


def test_a_rebuild_during_a_check_is_said(filled: Writer) -> None:
    with pytest.raises(StoreError, match="a rebuild replaced the edges"):
        snapshot.take(filled.redis, Faults(), lambda _: main(["rebuild"]))


def test_the_check_ends_with_2_when_a_rebuild_comes_between(
    filled: Writer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = inspection.matches

    def rebuilt_first(redis: RedisClient, pictures: Sequence[bytes]) -> list[list[bytes]]:
        main(["rebuild", "--tolerance", "0.6"])
        return read(redis, pictures)

    monkeypatch.setattr(inspection, "matches", rebuilt_first)
    assert main(["check"]) == 2
    assert "check again" in capsys.readouterr().err
    assert faults(read_all(filled.redis)) == []
