"""What can keep a command from its work, beside the errors of `faces.errors`.

FacefleetError
├── UsageError      what was asked for cannot be done: no such file, no such picture
├── Permanent
│   └── Refused     the server does not take this picture
└── Transient
    └── ServerError the server is away, or busy
"""

from __future__ import annotations

from faces.errors import FacefleetError, Permanent, Transient


class UsageError(FacefleetError):
    """What was asked for cannot be done as it was asked."""


class Refused(Permanent):
    """The server does not take a picture, or a file cannot be sent; `code` is a stable word for programs."""

    code = "refused"


class ServerError(Transient):
    """The server is away or busy; it may be asked again after `wait` seconds."""

    def __init__(self, message: str, *, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait
