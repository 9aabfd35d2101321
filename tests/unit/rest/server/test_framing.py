"""When a request has come: exactly when its last byte has, wherever the network cut it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest.server.framing import LONGEST_HEAD, Framing

WHOLE = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\nhello",
    b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123\r\n6789\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\nMore: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", WHOLE)
@given(data=st.data())
def test_it_is_complete_with_its_last_byte_and_not_before(data: st.DataObject, request_bytes: bytes) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(request_bytes) - 1))) | {len(request_bytes) - 1})
    framing = Framing()
    for start, end in zip([0, *cuts], [*cuts, len(request_bytes)], strict=True):
        assert not framing.complete
        framing.feed(request_bytes[start:end])
    assert framing.complete
    assert framing.head_complete


@pytest.mark.parametrize("request_bytes", WHOLE)
def test_what_follows_it_does_not_matter(request_bytes: bytes) -> None:
    framing = Framing()
    framing.feed(request_bytes + b"GET / HTTP/1.1\r\n")
    assert framing.complete


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 1025,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n",
        b"G" * (LONGEST_HEAD + 1),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_what_cannot_be_understood_is_handed_over_at_once(request_bytes: bytes) -> None:
    framing = Framing()
    framing.feed(request_bytes)
    assert framing.complete


def test_a_sender_that_waits_to_be_asked_is_known() -> None:
    framing = Framing()
    framing.feed(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
    assert (framing.head_complete, framing.expects_continue, framing.length) == (True, True, 5)
