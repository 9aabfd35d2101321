from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.web import Fleet, serving


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A server to which the client's settings lead."""
    made = Fleet()
    with serving(made) as address:
        monkeypatch.setenv("REST_URL", address)
        yield made
