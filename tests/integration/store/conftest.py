"""What all tests of the store share."""

from __future__ import annotations

import pytest

from faces.store.collection import commit_lock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that the tests run inside each other's commits do not wait for their turn."""
    monkeypatch.setattr(commit_lock, "PATIENCE", 0.01)
