"""Making the edges anew while the fleet works."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from faces.config import Settings
from faces.errors import MismatchError
from faces.store import journal, rebuild
from faces.store.basis import Basis, agree
from faces.store.erase import erase
from faces.store.intake import accept
from faces.store.journal import Entry
from faces.store.link import Link
from local.redis import RedisServer
from tests.conftest import emptied
from tests.integration.store.test_commit import Worker, found, picture
from tests.rules import faults, read_all
from worker.known import Known, vectors

STRICT = Basis("test", 0.1)  # noise of 0.1 about each person: nearly nobody matches any longer


class Memory:
    """Faces in memory."""

    def __init__(self, tolerance: float) -> None:
        self.known = Known(tolerance)

    def advance(self, entries: Sequence[Entry]) -> None:
        self.known.advance(entries)

    def matching(self, entries: Sequence[Entry]) -> Sequence[Iterable[str]]:
        return [
            {d.hex() for found in self.known.matches(vectors(e.encodings)) for d in found} - {e.digest.hex()}
            for e in entries
        ]


def run(link: Link, basis: Basis) -> list[tuple[int, int]]:
    return list(rebuild.rebuild(link, basis, Memory(basis.tolerance)))


def filled(link: Link, first: int, last: int) -> Worker:
    worker = Worker(link)
    for number in range(first, last):
        accept(link, picture(number), str(number))
        worker.commit(found(number, number % 3, number % 2))
    return worker


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PIECE", 4)


def test_a_rebuild_gives_the_edges_of_the_new_tolerance(each_link: Link) -> None:
    filled(each_link, 0, 10)
    erase(each_link, picture(2))
    assert len(faults(read_all(each_link), 0.1)) > 5
    assert run(each_link, STRICT) == [(4, 11), (8, 11), (11, 11)]
    assert faults(read_all(each_link), 0.1) == []
    agree(each_link, STRICT)
    assert each_link.ask((5, "DBSIZE"), (0, "EXISTS", "rebuild")) == [0, 0]


def test_a_rebuild_mends_damaged_edges(link: Link) -> None:
    worker = filled(link, 0, 10)
    before = read_all(link)
    link.ask((4, "DEL", picture(1)), (4, "SADD", picture(2), picture(3)))
    run(link, worker.basis)
    assert read_all(link) == before


def test_readers_see_the_old_edges_until_the_new_ones_are_whole(link: Link) -> None:
    filled(link, 0, 10)
    for _ in rebuild.rebuild(link, STRICT, Memory(0.1)):
        assert faults(read_all(link)) == []
    assert faults(read_all(link), 0.1) == []


def test_a_killed_rebuild_goes_on_where_it_was(link: Link) -> None:
    filled(link, 0, 10)
    first = rebuild.rebuild(link, STRICT, Memory(0.1))
    assert [next(first), next(first)] == [(4, 10), (8, 10)]
    del first
    (edges,) = link.ask((5, "DBSIZE"))
    assert run(link, STRICT) == [(4, 10), (8, 10), (10, 10)]
    assert faults(read_all(link), 0.1) == []
    assert edges <= len(read_all(link).matches)


def test_the_fleet_works_on_during_a_rebuild(link: Link) -> None:
    worker = filled(link, 0, 10)
    passing = rebuild.rebuild(link, STRICT, Memory(0.1))
    next(passing)
    filled(link, 10, 15)
    erase(link, picture(1))
    erase(link, picture(12))
    accept(link, picture(1), "again")
    worker.commit(found(1, 0))
    assert faults(read_all(link)) == []
    list(passing)
    assert faults(read_all(link), 0.1) == []
    assert picture(12) not in read_all(link).encodings
    accept(link, picture(20), "late")
    with pytest.raises(MismatchError, match=r"tolerance 0\.1, this process 0\.6"):
        worker.commit(found(20, 1))
    assert faults(read_all(link), 0.1) == []


def test_a_worker_caught_between_watch_and_exec_by_the_swap_writes_nothing(link: Link) -> None:
    worker = filled(link, 0, 4)
    accept(link, picture(5), "late")
    ours = [found(5, 1)]
    comparison = worker.known.compare(ours)

    def swap_first(tail: Sequence[Entry], who: Any) -> Sequence[Iterable[str]]:
        run(link, STRICT)
        return comparison.catch_up(tail, who)

    with pytest.raises(MismatchError):
        worker.commit_with(ours, swap_first)
    assert faults(read_all(link), 0.1) == []
    assert picture(5) not in read_all(link).encodings


def test_two_rebuilds_to_the_same_help_each_other(link: Link) -> None:
    filled(link, 0, 10)
    first, second = (rebuild.rebuild(link, STRICT, Memory(0.1)) for _ in range(2))
    for _ in range(2):
        next(first)
    for _ in range(3):
        next(second)
    filled(link, 10, 14)
    assert list(second)[-1] == (14, 14)
    list(first)
    assert faults(read_all(link), 0.1) == []


def test_a_rebuild_to_something_else_is_refused_until_the_first_is_abandoned(link: Link) -> None:
    filled(link, 0, 6)
    first = rebuild.rebuild(link, STRICT, Memory(0.1))
    next(first)
    with pytest.raises(MismatchError, match=r"tolerance 0\.1 is under way"):
        run(link, Basis("test", 0.3))
    rebuild.abandon(link)
    with pytest.raises(MismatchError, match="abandoned"):
        next(first)
    run(link, Basis("test", 0.3))
    assert faults(read_all(link), 0.3) == []


def write(settings: Settings, first: int, last: int) -> None:
    filled(Link(settings), first, last)


def test_a_rebuild_ends_though_workers_commit_all_the_while(link: Link, store_settings: Settings) -> None:
    worker = filled(link, 0, 10)
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=(store_settings, n, n + 60)) for n in (100, 200, 300)]
    for writer in writers:
        writer.start()
    rounds = 0
    while any(writer.is_alive() for writer in writers):
        run(link, worker.basis)
        assert faults(read_all(link)) == []
        rounds += 1
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert (rounds > 1, len(read_all(link).encodings)) == (True, 190)


def test_the_swap_survives_a_restart_of_the_server(each_redis_server: RedisServer) -> None:
    link = Link(emptied(each_redis_server))
    filled(link, 0, 8)
    run(link, STRICT)
    before = read_all(link)
    each_redis_server.process.kill()
    each_redis_server.start()
    link.close()
    assert read_all(link) == before
    assert faults(before, 0.1) == []
    assert len(journal.read(link, 0, 100)) == 8
    link.close()
