"""Log lines as a person reads them, those of strangers too."""

from __future__ import annotations

import pytest

from client.log_lines import document_of, is_about, is_failure, readable


def test_a_line_of_the_fleet() -> None:
    body = b'{"time": "2026-03-01T12:30:15.250+00:00", "event": "done", "name": "a b.jpg", "faces": 2}'
    line = readable("host.lan.worker.info", body)
    assert line.endswith("  host.lan.worker.info  done  name=a b.jpg  faces=2")
    assert line[5:12] == ":15.250"


@pytest.mark.parametrize(
    "body",
    [b"plain words", b"[1, 2]", b'"text"', b'{"no": "event"}', b'{"event": 3}', b"[" * 100_000],
    ids=["words", "list", "text", "no event", "odd event", "deep"],
)
def test_a_foreign_line_is_shown_as_it_is(body: bytes) -> None:
    assert readable("k", body) == f"k  {body.decode()}"


@pytest.mark.parametrize(
    "body",
    [
        b"\x1b[2Jgone\r\n\x07",
        b"\xff\xfe\x00",
        b'{"event": "\\u001b[31m", "\\u202e": "\\n", "time": "\\u001b"}',
        b'{"event": "done", "time": ["\\u001b"], "name": {"\\u001b": "\\u001b"}}',
    ],
)
def test_no_control_character_reaches_the_terminal(body: bytes) -> None:
    assert readable("key\x1b[0m", body).isprintable()


@pytest.mark.parametrize("time", ['"9999-12-31T23:59:59+00:00"', '"0001-01-01T00:00:00"', "5", "null"])
def test_an_odd_time_does_no_harm(time: str) -> None:
    assert "done" in readable("k", f'{{"event": "done", "time": {time}}}'.encode())


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b'{"event": "failed", "code": "truncated"}', True),
        (b'{"event": "dead letter"}', True),
        (b'{"event": "retried", "wait": 5}', True),
        (b'{"event": "POST /scan/image/a.jpg", "status": 415}', True),
        (b'{"event": "POST /scan/image/a.jpg", "status": 202}', False),
        (b'{"event": "done", "status": "415"}', False),
        (b'{"event": "skipped"}', False),
    ],
)
def test_failures_are_told_apart(body: bytes, failure: bool) -> None:
    document = document_of(body)
    assert document is not None
    assert is_failure(document) is failure


@pytest.mark.parametrize(("hash_", "about"), [("abcd", True), ("ab", True), ("bcd", False), ("", True)])
def test_a_picture_is_found_by_the_first_digits_of_its_hash(hash_: str, about: bool) -> None:
    assert is_about({"event": "done", "hash": "abcd"}, hash_) is about
    assert is_about({"event": "dead letter"}, hash_) is (hash_ == "")
