from __future__ import annotations

import pytest

from faces.config import Settings
from rest.auth.authenticator import keys_needed
from rest.auth.origins import is_loopback

ANY = "0.0.0.0"  # noqa: S104 -- nothing listens there


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", ANY, "::", "10.0.0.1", "127.0.0.1.example.org", "localhost.example.org", "example"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("mode", "host", "needed"),
    [
        ("auto", "127.0.0.1", False),
        ("auto", ANY, True),
        ("auto", "::", True),
        ("required", "127.0.0.1", True),
        ("off", ANY, False),
    ],
)
def test_when_keys_are_needed(mode: str, host: str, needed: bool) -> None:
    assert keys_needed(Settings(api_keys=mode, rest_host=host)) is needed
