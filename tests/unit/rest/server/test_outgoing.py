"""Answers to clients that read slowly."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator

import pytest

from rest.server.outgoing import Outgoing

DATA = bytes(range(256)) * 20_000  # more than a socket takes by itself


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def read(outgoing: Outgoing, theirs: socket.socket) -> bytes:
    """Read as the client, while more is sent."""
    theirs.setblocking(False)
    received = bytearray()
    while outgoing.pending or len(received) < len(DATA):
        if outgoing.pending:
            outgoing.send_more()
        received += theirs.recv(1 << 16)
    return bytes(received)


@pytest.mark.parametrize("size", [1, 1000, 1 << 20, len(DATA)])
def test_nothing_waits_for_the_client_and_everything_reaches_it(
    pair: tuple[socket.socket, socket.socket], size: int
) -> None:
    ours, theirs = pair
    outgoing = Outgoing(ours)
    first = DATA[: size * 5000]
    for start in range(0, len(first), size):
        outgoing.sendall(first[start : start + size])
    outgoing.sendall(DATA[len(first) :])
    assert read(outgoing, theirs) == DATA
    outgoing.close()


def test_a_head_goes_with_what_comes_next(pair: tuple[socket.socket, socket.socket]) -> None:
    """A client that is woken once reads once."""
    ours, theirs = pair
    theirs.setblocking(False)
    outgoing = Outgoing(ours)
    outgoing.sendall(b"head ")
    with pytest.raises(BlockingIOError):
        theirs.recv(100)
    outgoing.sendall(b"body")
    assert theirs.recv(100) == b"head body"
    outgoing.sendall(b"more")
    assert theirs.recv(100) == b"more"
    outgoing.close()


def test_a_head_alone_is_sent_at_the_end(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outgoing = Outgoing(ours)
    outgoing.sendall(b"head")
    outgoing.flush()
    outgoing.flush()
    assert theirs.recv(100) == b"head"
    outgoing.close()


def test_a_part_of_a_file_is_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outgoing = Outgoing(ours)
    assert outgoing.sendfile(io.BytesIO(b"before" + DATA + b"behind"), 6, len(DATA)) == len(DATA)
    assert read(outgoing, theirs) == DATA
    outgoing.close()


def test_a_client_that_has_gone_is_an_error(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outgoing = Outgoing(ours)
    outgoing.sendall(b"head")
    outgoing.sendall(DATA)
    theirs.close()
    with pytest.raises(OSError, match=r"pipe|reset"):
        outgoing.send_more()
    outgoing.close()
