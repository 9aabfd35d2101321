import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from tests.support.server import serving


@pytest.fixture
def no_other_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing below the fetcher may resolve a name again."""

    def refuse(*asked: object, **_: object) -> None:
        pytest.fail(f"{asked} was resolved behind the fetcher's back")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def stored(settings: Settings, tmp_path: Path) -> Iterator[FlaskClient]:
    with serving(settings, image_store_url=f"file://{tmp_path}") as opened:
        yield opened
