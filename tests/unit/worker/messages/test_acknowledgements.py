import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.messages.acknowledgements import Acknowledgements


class Broker:
    """A channel and its connection: knows what is outstanding, and refuses what RabbitMQ refuses."""

    is_open = True

    def __init__(self) -> None:
        self.outstanding: list[int] = []
        self.frames = 0
        self.callbacks: list[Callable[[], None]] = []

    def add_callback_threadsafe(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def basic_ack(self, tag: int, *, multiple: bool = False) -> None:
        assert tag in self.outstanding, f"unknown delivery tag {tag}"
        self.frames += 1
        self.outstanding = [one for one in self.outstanding if (one > tag if multiple else one != tag)]

    def wake(self) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()


@pytest.fixture
def broker() -> Broker:
    return Broker()


def deliver(broker: Broker, acknowledgements: Acknowledgements, tag: int) -> None:
    broker.outstanding.append(tag)
    acknowledgements.hold(tag)


def test_a_batch_is_acknowledged_at_once(broker: Broker) -> None:
    acknowledgements = Acknowledgements(broker, broker)
    for tag in range(1, 9):
        deliver(broker, acknowledgements, tag)
    for tag in range(1, 7):
        acknowledgements.add(tag)
    broker.wake()
    assert broker.outstanding == [7, 8]
    assert broker.frames == 1


@given(st.lists(st.one_of(st.just("deliver"), st.just("wake"), st.integers(0, 5)), max_size=60))
def test_exactly_what_was_settled_is_acknowledged_in_any_order(steps: list[str | int]) -> None:
    broker = Broker()
    acknowledgements = Acknowledgements(broker, broker)
    in_hand: list[int] = []
    delivered = 0
    for step in [*steps, "wake"]:
        if step == "deliver":
            delivered += 1
            deliver(broker, acknowledgements, delivered)
            in_hand.append(delivered)
        elif step == "wake":
            broker.wake()
            assert broker.outstanding == in_hand
        elif in_hand:
            acknowledgements.add(in_hand.pop(int(step) % len(in_hand)))


def test_a_closed_channel_is_left_alone(broker: Broker) -> None:
    acknowledgements = Acknowledgements(broker, broker)
    deliver(broker, acknowledgements, 1)
    acknowledgements.add(1)
    broker.is_open = False
    broker.wake()
    assert broker.outstanding == [1]


def test_no_acknowledgement_is_lost_between_threads(broker: Broker) -> None:
    acknowledgements = Acknowledgements(broker, broker)
    for tag in range(1, 5001):
        deliver(broker, acknowledgements, tag)
    settling = threading.Thread(target=lambda: list(map(acknowledgements.add, range(1, 5001))))
    settling.start()
    while settling.is_alive():
        broker.wake()
    settling.join()
    broker.wake()
    assert broker.outstanding == []
