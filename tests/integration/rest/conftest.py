import socket

import pytest


@pytest.fixture
def no_other_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing below the fetcher may resolve a name again."""

    def refuse(*asked: object, **_: object) -> None:
        pytest.fail(f"{asked} was resolved behind the fetcher's back")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
