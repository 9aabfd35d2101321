"""The deadline ends a connection that always has one more byte to give."""

import socket
import threading

from local.process import until
from rest.fetching.deadline import Deadline


def test_it_ends_a_read_that_drips() -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            theirs.send(b".")

    dripping = threading.Thread(target=drip)
    with ours, theirs, Deadline(0.3) as deadline:
        deadline.watch(ours)
        dripping.start()
        ours.settimeout(5)
        while ours.recv(16):
            pass
        assert deadline.passed
        stop.set()
        dripping.join()


def test_a_connection_watched_too_late_is_ended_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.01) as deadline:
        assert until(lambda: not deadline._timer.is_alive(), 60)
        deadline.watch(ours)
        ours.settimeout(5)
        assert ours.recv(1) == b""


def test_it_leaves_a_connection_alone_that_was_in_time() -> None:
    ours, theirs = socket.socketpair()
    threads = threading.active_count()
    with ours, theirs:
        with Deadline(60) as deadline:
            deadline.watch(ours)
            assert 59 < deadline.remaining() <= 60
            assert not deadline.passed
        theirs.send(b"still open")
        assert ours.recv(16) == b"still open"
    assert until(lambda: threading.active_count() == threads, 60)
