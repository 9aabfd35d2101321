from __future__ import annotations

import threading

import pytest

from client.threads import spread


def test_every_item_is_worked_on_once() -> None:
    assert sorted(spread(lambda n: n * n, range(100), 4)) == [n * n for n in range(100)]


def test_an_error_comes_out_where_the_results_are_read() -> None:
    def work(number: int) -> int:
        return 10 // number

    with pytest.raises(ZeroDivisionError):
        list(spread(work, [5, 0, 2], 1))


def test_nothing_more_is_begun_when_the_reader_has_gone() -> None:
    begun: list[int] = []
    release = threading.Semaphore(0)

    def work(number: int) -> int:
        begun.append(number)
        if number:
            release.acquire()
        return number

    results = spread(work, range(1000), 1)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # it is a generator
    release.release()
    for thread in threading.enumerate():
        if thread.name.startswith("spread"):
            thread.join(60)
    assert len(begun) <= 2
