"""What the tests of the client share."""

from __future__ import annotations

import pytest

from faces.config import Settings


@pytest.fixture
def terminal(store_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings as a process has them."""
    monkeypatch.setenv("REDIS_HOST", store_settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(store_settings.redis_port))
