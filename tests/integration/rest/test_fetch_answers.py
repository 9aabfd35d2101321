"""Answers that are wrong in each way that a stranger's can be, over real sockets."""

import contextlib
import gzip
import random
import resource
import socket
import time

import pytest

from faces.errors import FetchError
from tests.support.servers.hostile_servers import (
    CHUNKED,
    PICTURE,
    PLAIN,
    Answer,
    Server,
    chunked,
    drips,
    endless,
    fetcher,
    redirects,
    refusal,
    response,
    says,
    stays_silent,
)

pytestmark = pytest.mark.usefixtures("no_other_resolver")


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "206 Partial Content", "204 No Content", "302 Found"]
)
def test_any_status_but_200(status: str) -> None:
    with Server(says(response(b"<html>", status))) as server:
        error = refusal(server.url(path="/a?key=secret"), fetcher())
    assert error.code == "http_status"
    assert status[:3] in str(error)
    assert "secret" not in str(error)


def test_no_bytes() -> None:
    with Server(says(response(b""))) as server:
        assert refusal(server.url(), fetcher()).code == "empty"


@pytest.mark.parametrize(
    "answer",
    [
        endless(PLAIN, bytes(50_000)),
        endless(CHUNKED, b"c350\r\n" + bytes(50_000) + b"\r\n"),
        says(response(bytes(100_001))),
        endless(response(b"", length=1 << 60), bytes(50_000)),
    ],
    ids=["without length", "in chunks", "one byte more", "with a giant length"],
)
def test_a_body_over_the_limit(answer: Answer) -> None:
    with Server(answer) as server:
        assert refusal(server.url(), fetcher()).code == "too_large"


def test_a_body_at_the_limit() -> None:
    with Server(says(response(bytes(100_000)))) as server:
        assert len(fetcher().fetch(server.url())) == 100_000


def test_a_length_that_is_wrong() -> None:
    with Server(says(response(length=5))) as server:
        assert fetcher().fetch(server.url()) == PICTURE[:5]
    with Server(says(response(length=500))) as server:
        assert refusal(server.url(), fetcher()).code == "unreachable"
    with Server(says(response(length=-7))) as server:
        assert fetcher().fetch(server.url()) == PICTURE


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_bomb_of_compression(encoding: str, in_chunks: bool) -> None:
    bomb = gzip.compress(bytes(64 << 20), 9)
    bomb = gzip.compress(bomb, 9) if "," in encoding else bomb
    answer = response(bomb, "200 OK", f"Content-Encoding: {encoding}")
    if in_chunks:
        head = f"Content-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = f"HTTP/1.1 200 OK\r\n{head}".encode() + chunked(bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Server(says(answer)) as server:
        assert refusal(server.url(), fetcher()).code == "too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 24 * 1024  # kB


def test_compression_that_nobody_asked_for_is_undone() -> None:
    answer = response(gzip.compress(PICTURE), "200 OK", "Content-Encoding: gzip")
    with Server(says(answer)) as server:
        assert fetcher().fetch(server.url()) == PICTURE
    with Server(says(response(PICTURE, "200 OK", "Content-Encoding: gzip"))) as server:
        assert refusal(server.url(), fetcher()).code == "unreachable"


@pytest.mark.parametrize(
    "answer",
    [
        stays_silent,
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\nX: "),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(PLAIN),
        drips(response(length=1 << 20)),
        drips(CHUNKED, b"1\r\nx\r\n"),
        drips(CHUNKED, b"1"),
        drips(CHUNKED + b"0\r\n", b"X: y\r\n"),
    ],
    ids=["silent", "status", "header", "continue", "body", "length", "chunks", "chunk size", "trailers"],
)
def test_a_server_that_drips_is_left_in_time(answer: Answer) -> None:
    begun = time.monotonic()
    with Server(answer) as server:
        assert refusal(server.url(), fetcher(total_timeout=0.4)).code in {"timeout", "unreachable"}
    assert time.monotonic() - begun < 8  # not for ever


def test_a_dripped_body_without_length_is_late_not_short() -> None:
    with Server(drips(PLAIN)) as server:
        assert refusal(server.url(), fetcher(total_timeout=0.3)).code == "timeout"


def test_the_deadline_holds_over_all_redirects() -> None:
    def later(connection: socket.socket, head: bytes) -> None:
        time.sleep(0.15)
        redirects("/again")(connection, head)

    with Server(later) as server:
        error = refusal(server.url(), fetcher(total_timeout=0.4, max_redirects=1000))
    assert error.code == "timeout"
    assert len(server.requests) < 6


GARBAGE = {
    "nothing": b"",
    "text": b"not http at all\r\n\r\n",
    "version": b"HTTP/9.9 abc\r\n\r\n",
    "long line": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "bad chunk": CHUNKED + b"zz\r\n",
    "long chunk size": CHUNKED + b"f" * 70_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_an_answer_that_is_not_http(garbage: bytes) -> None:
    with Server(says(garbage)) as server:
        error = refusal(server.url(path="/?key=secret"), fetcher())
    assert error.code == "unreachable"
    assert "secret" not in str(error)
    assert "pictures.example" in str(error)


def test_nobody_listens() -> None:
    with Server(says(b"")) as server:
        url = server.url(path="/?key=secret")
    error = refusal(url, fetcher())
    assert error.code == "unreachable"
    assert "secret" not in str(error)


def damaged(answer: bytes, rng: random.Random) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.choice((1, 2, 5, 20))):
        start = rng.randrange(len(changed) or 1)
        part = rng.choice(
            (b"\r\n", b"\0", b": ", b"9" * 20, b"-1", b",", b"chunked", b"gzip", rng.randbytes(1), b"")
        )
        changed[start : start + rng.randrange(1, 4)] = part
    return bytes(changed)


def test_an_answer_damaged_anyhow_ends_well() -> None:
    rng = random.Random(7)
    answers = [
        response(),
        response(gzip.compress(PICTURE), "200 OK", "Content-Encoding: gzip"),
        CHUNKED + chunked(PICTURE),
        response(b"", "301 Moved", "Location: http://pictures.example:1/\xff"),
        response(bytes(100), "200 OK", "Content-Encoding: br, gzip, zstd, deflate, gzip, gzip, gzip"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + response(),
    ]
    fetching = fetcher(total_timeout=2)
    with Server(lambda connection, _: connection.sendall(damaged(rng.choice(answers), rng))) as server:
        for _ in range(500):
            with contextlib.suppress(FetchError):
                assert len(fetching.fetch(server.url())) <= 100_000
