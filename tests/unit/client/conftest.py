from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clock import Clock
from tests.support.servers.web import Fleet, serving


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A server to which the client's settings lead."""
    made = Fleet()
    with serving(made) as address:
        monkeypatch.setenv("REST_URL", address)
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time as the client's waiting takes it: its timeouts depend on no machine's speed."""
    made = Clock()
    for module in ("client.idle_timeout", "client.sending"):
        monkeypatch.setattr(f"{module}.time", made)
    return made
