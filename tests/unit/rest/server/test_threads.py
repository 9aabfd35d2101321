"""The threads that handle requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from local.process import until
from rest.server.threads import Threads

THREADS = 3


@pytest.fixture
def threads() -> Iterator[Threads]:
    before = threading.active_count()
    pool = Threads(THREADS)
    yield pool
    pool.shutdown(wait=False)
    assert until(lambda: threading.active_count() == before, 60), "every thread ends"


def test_no_more_threads_work_than_allowed_and_nothing_is_lost(threads: Threads) -> None:
    lock, release = threading.Lock(), threading.Event()
    at_once: list[int] = []
    working = done = 0

    def work() -> None:
        nonlocal working, done
        with lock:
            working += 1
            at_once.append(working)
        assert release.wait(60)
        with lock:
            working -= 1
            done += 1

    for _ in range(10 * THREADS):
        threads.submit(work)
    assert until(lambda: working == THREADS, 60)
    assert threads.busy
    release.set()
    assert until(lambda: done == 10 * THREADS, 60)
    assert max(at_once) == THREADS
    assert not threads.busy


def test_the_thread_that_worked_last_works_first(threads: Threads) -> None:
    ran: list[int] = []
    barrier = threading.Barrier(2)

    def meet() -> None:
        barrier.wait(60)
        ran.append(threading.get_ident())

    for _ in range(2):  # so that two have been started
        threads.submit(meet)
    assert until(lambda: len(threads._idle) == 2, 60)
    for number in range(20):
        threads.submit(lambda: ran.append(threading.get_ident()))
        assert until(lambda: len(ran) == 3 + number and len(threads._idle) == 2, 60)  # noqa: B023 -- used at once
    assert len(set(ran[2:])) == 1


def test_what_waits_is_done_though_no_more_is_wanted(threads: Threads) -> None:
    release = threading.Event()
    done: list[int] = []

    def work() -> None:
        assert release.wait(60)
        done.append(1)

    for _ in range(2 * THREADS):
        threads.submit(work)
    threads.shutdown(wait=False)
    release.set()
    assert until(lambda: len(done) == 2 * THREADS, 60)
