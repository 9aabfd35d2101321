"""What a line says of a picture's name."""

from __future__ import annotations

import pytest

from faces.messaging.event_log import without_secrets


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("portrait.jpg", "portrait.jpg"),
        ("what?.jpg", "what?.jpg"),
        ("https://example.org/a/b.jpg", "https://example.org/a/b.jpg"),
        ("https://example.org/b.jpg?X-Amz-Signature=secret", "https://example.org/b.jpg?..."),
        ("https://example.org/b.jpg#secret", "https://example.org/b.jpg?..."),
        ("https://user:secret@example.org/b.jpg", "https://example.org/b.jpg"),
        ("https://example.org?secret@x/y", "https://example.org?..."),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(name: str, shown: str) -> None:
    assert without_secrets(name) == shown
