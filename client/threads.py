"""Work spread over a few threads. They never outlive the process, so Ctrl-C ends it at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

_END = object()


def spread(work: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """Do work on each item and yield the results as they arrive; an error ends it.

    Each thread takes the next item when it is free. When the caller stops iterating, no further item is started.
    """
    waiting, lock, stopping = iter(items), threading.Lock(), threading.Event()
    results: queue.SimpleQueue[object] = queue.SimpleQueue()

    def run() -> None:
        try:
            while not stopping.is_set():
                with lock:
                    item = next(waiting, _END)
                if item is _END:
                    break
                results.put((work(item),))  # type: ignore[arg-type]  # _END is gone here
        except BaseException as error:  # noqa: BLE001 -- raised again where the results are read
            results.put(error)
        results.put(_END)

    for number in range(threads):
        threading.Thread(target=run, name=f"spread {number}", daemon=True).start()
    try:
        yield from _until_all_end(results, threads)
    finally:
        stopping.set()


def _until_all_end(results: queue.SimpleQueue[object], threads: int) -> Iterator[B]:
    running = threads
    while running:
        result = results.get()
        if isinstance(result, tuple):
            yield result[0]
        elif isinstance(result, BaseException):
            raise result
        else:
            running -= 1
