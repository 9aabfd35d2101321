from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faces.errors import MessageError, NewerMessageError
from faces.messaging.message import Message, decode, encode
from faces.picture_id import picture_id_of

GOOD, BODY = encode(Message(picture_id_of(b"picture"), "me.jpg", b"picture", "request"))

messages = st.builds(
    lambda data, stored, name, request, attempt: Message(
        picture_id_of(data), name, None if stored else data, request, attempt
    ),
    st.binary(min_size=1),
    st.booleans(),
    st.text(),
    st.text(),
    st.integers(0, 100),
)
values = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text())


@given(messages)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert decode(*encode(message)) == message


@given(st.dictionaries(st.sampled_from(sorted(GOOD)) | st.text(), values), st.binary())
def test_anything_else_is_one_error(headers: dict[str, Any], body: bytes) -> None:
    with pytest.raises(MessageError):
        decode(headers, body)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version 2 is newer"),
        ({"version": 0}, "version is 0"),
        ({"version": None}, "version is None"),
        ({"hash": "A" * 64}, "not 64 lower-case hex digits"),
        ({"hash": picture_id_of(b"another")}, "does not have the hash"),
        ({"hash": "../../etc/passwd"}, "not 64 lower-case hex digits"),
        ({"name": None}, "name is None"),
        ({"name": "x" * 70_000}, "sensible length"),
        ({"stored": "yes"}, "neither true nor false"),
        ({"stored": True}, "has a body"),
        ({"attempt": -1}, "not a count"),
        ({"attempt": "1"}, "not a count"),
        ({"request_id": 5}, "request_id"),
    ],
)
def test_a_damaged_message_says_what_is_wrong(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(MessageError, match=fault):
        decode({**GOOD, **change}, BODY)


def test_a_message_without_headers_is_refused() -> None:
    with pytest.raises(MessageError):
        decode(None, b'{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["touch /tmp/executed"]}]}')


def test_fields_that_an_older_server_did_not_write_have_their_defaults() -> None:
    headers = {key: value for key, value in GOOD.items() if key not in {"attempt", "request_id"}}
    message = decode(headers, BODY)
    assert (message.attempt, message.request_id) == (0, "")


@pytest.mark.parametrize(("claimed", "attempt"), [(3, 3), (-1, 0), ("x", 0)])
def test_a_newer_message_tells_how_often_it_was_retried(claimed: object, attempt: int) -> None:
    with pytest.raises(NewerMessageError) as raised:
        decode({"version": 2, "attempt": claimed}, b"anything")
    assert raised.value.attempt == attempt


def test_trying_again_counts() -> None:
    message = decode(GOOD, BODY)
    assert message.again().again().attempt == 2
