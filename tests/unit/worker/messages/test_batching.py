from __future__ import annotations

import queue

from worker.messages.batching import Batcher
from worker.messages.delivery import Delivery


def delivery(name: str, *, redelivered: bool = False, valid: bool = True) -> Delivery:
    return Delivery({"name": name}, b"", redelivered, lambda: None, lambda: valid)


def batches(*deliveries: Delivery, size: int = 3) -> list[list[str]]:
    """The names in each batch, until nothing is waiting."""
    waiting: queue.Queue[Delivery] = queue.Queue()
    for one in deliveries:
        waiting.put(one)
    batcher = Batcher(waiting, size, idle=0.001)
    taken = []
    while batch := batcher.take():
        taken.append([(one.headers or {})["name"] for one in batch])
    return taken


def test_a_batch_is_what_is_waiting_up_to_its_size() -> None:
    assert batches(*map(delivery, "abcdefg")) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_a_redelivered_message_is_alone() -> None:
    again = delivery("again", redelivered=True)
    last = delivery("last", redelivered=True)
    assert batches(delivery("a"), again, delivery("b"), delivery("c"), last) == [
        ["a"],
        ["again"],
        ["b", "c"],
        ["last"],
    ]


def test_deliveries_of_a_lost_connection_are_left_out() -> None:
    stale = delivery("stale", valid=False)
    assert batches(stale, delivery("a"), stale, delivery("b"), stale) == [["a", "b"]]


def test_a_redelivered_message_kept_for_the_next_batch_may_have_become_stale() -> None:
    alive = [True, False]
    again = Delivery({"name": "again"}, b"", True, lambda: None, lambda: alive.pop(0))
    assert batches(delivery("a"), again, delivery("b")) == [["a"], ["b"]]
