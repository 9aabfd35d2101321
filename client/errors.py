"""The errors of a command, in addition to those in `faces.errors`.

FacefleetError
├── UsageError      the request makes no sense: no such file, no such picture
├── Permanent
│   └── Refused     the server rejected this picture
└── Transient
    └── ServerError the server is unavailable or busy
"""

from __future__ import annotations

from faces.errors import FacefleetError, Permanent, Transient


class UsageError(FacefleetError):
    """The request cannot be carried out as given."""


class Refused(Permanent):
    """The server rejected a picture, or a file cannot be sent; `code` is a stable word for programs."""

    code = "refused"


class ServerError(Transient):
    """The server is unavailable or busy; try again after `wait` seconds."""

    def __init__(self, message: str, *, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait
